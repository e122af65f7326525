"""Running the result before it gets its name: it must answer, always the same, and as expected."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.operators.tfr031_same_variable_twice import CODE as FATAL
from tflrepair.commands.fix.options import Acceptance, Check
from tflrepair.errors import RefusedError
from tflrepair.execution import worker
from tflrepair.execution.compare import QUANTIZED
from tflrepair.execution.result import Run, RunStatus, Symptom, VerifyReport
from tflrepair.findings import Finding

_LITERT = "litert"

# Why a result was not run.
AS_ASKED = "--no-run was given"
NO_RUNTIME = "LiteRT is not installed (pip install 'tflrepair[run]')"
_WRONG = (Symptom.UNSET, Symptom.CRASH, Symptom.NOT_REPEATABLE)


def check_readable(check: Check) -> None:
    """Raises BadFileError if a file of the check is missing or no .npz."""
    from tflrepair.execution import inputs

    inputs.read(check[0], "the inputs of the check")
    inputs.read(check[1], "the expected outputs of the check")


def accept(
    result: AnalysisContext, wanted: Acceptance, found: Sequence[Finding] = ()
) -> VerifyReport | str:
    """Run what was written; or, in words, why it was not run.

    Args:
        found: what the scan of the result says. A crash of the default delegate that it explains
            (TFR031) is the runtime's own fault where the builtin kernels answer.

    Raises:
        RefusedError: a signature crashes, still lacks a variable, or answers differently in each
            fresh interpreter. What the weights or the made-up inputs can be the reason for (NaN,
            an index out of range), and what the runtime is to blame for, is left to the report.
    """
    if not wanted.run:
        return AS_ASKED
    if _LITERT not in worker.installed():
        return NO_RUNTIME
    from tflrepair.execution.verify import verify

    report = verify(result, runtimes=[_LITERT])
    fatal = any(finding.code == FATAL for finding in found)
    answered = {
        r.signature for r in report.runs if r.delegate == "none" and r.status == RunStatus.OK
    }
    for run in report.runs:
        blameless = fatal and run.delegate != "none" and run.signature in answered
        for finding in run.findings:
            if finding.code == Symptom.CRASH and blameless:
                continue
            if finding.code in _WRONG:
                raise RefusedError(
                    f"`{run.signature}` of the result does not run correctly: {finding.message}",
                    hint="nothing was written; please report this model",
                )
    return report


def expect(result: AnalysisContext, check: Check) -> VerifyReport:
    """Hold a model against what is expected of it.

    Where it computes in few bits, its answers may be off by what such rounding explains.

    Raises:
        RefusedError: its outputs are others, or it cannot be run.
        UnsupportedError: no runtime is installed.
    """
    from tflrepair.execution.verify import verify

    report = verify(result, inputs=check[0], expect=check[1], quantized=QUANTIZED)
    found = [
        (run.signature, finding.message)
        for run in report.runs
        for finding in run.findings
        if finding.is_problem and not _is_the_delegates(finding, run, report)
    ]
    if report.exit_code != 2 and not found:
        return report
    signature, message = found[0] if found else ("the model", "it cannot be run here")
    raise RefusedError(
        f"`{signature}` does not give the expected outputs: {message}",
        hint="nothing was written; look at the match with --dry-run",
    )


def _is_the_delegates(finding: Finding, run: Run, report: VerifyReport) -> bool:
    """Whether the runtime's own kernels answer as expected, in few bits, and its delegate not.

    XNNPACK of tf.lite 2.21.0 computes some layers of 8-bit weights otherwise than the kernels do;
    that of LiteRT 2.3.0 does not. The values are right then.
    """
    plain = (
        other
        for other in report.runs
        if (other.signature, other.runtime) == (run.signature, run.runtime)
        and other.delegate == "none"
        and run.delegate != "none"
    )
    return finding.code == Symptom.NOT_EXPECTED and any(
        other.status == RunStatus.OK and any(c.far for c in other.comparisons) for other in plain
    )


def delegates(report: VerifyReport) -> list[str]:
    """What to say of delegates that answer otherwise (see ``expect``)."""
    return [
        f"`{run.signature}` in {run.runtime} with its default delegate does not answer as it "
        "does with its own kernels, which answer as expected: do not use the delegate there"
        for run in report.runs
        if any(_is_the_delegates(finding, run, report) for finding in run.findings)
    ]


def rounding(report: VerifyReport) -> str:
    """How far answers in few bits are from the floats that were expected; empty if they are not."""
    rows = [
        (c.far, run.signature, c.output)
        for run in report.runs
        for c in run.comparisons
        if c.far and c.within
    ]
    if not rows:
        return ""
    far, signature, output = max(rows)
    return (
        f"`{signature}` is quantized: {output} is {far:.1%} of its spread away from what is "
        f"expected (up to {QUANTIZED:.0%} counts as rounding)"
    )
