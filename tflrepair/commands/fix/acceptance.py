"""Running the result before it gets its name: it must answer, always the same, and as expected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.operators.tfr031_same_variable_twice import CODE as FATAL
from tflrepair.commands.fix.options import Check
from tflrepair.errors import RefusedError
from tflrepair.execution import worker
from tflrepair.execution.result import RunStatus, Symptom, VerifyReport
from tflrepair.execution.verify import verify
from tflrepair.findings import Finding

_LITERT = "litert"
_WRONG = (Symptom.UNSET, Symptom.CRASH, Symptom.NOT_REPEATABLE)


def check_readable(check: Check) -> None:
    """Raises BadFileError if a file of the check is missing or no .npz."""
    from tflrepair.execution import inputs

    inputs.read(check[0], "the inputs of the check")
    inputs.read(check[1], "the expected outputs of the check")


def accept(
    result: AnalysisContext, check: Check | None, found: Sequence[Finding] = ()
) -> VerifyReport | None:
    """Run what was written; None if LiteRT is not installed.

    Args:
        found: what the scan of the result says. A crash of the default delegate that it explains
            (TFR031) is the runtime's own fault where the builtin kernels answer.

    Raises:
        RefusedError: a signature crashes, still lacks a variable, or answers differently in each
            fresh interpreter; or the answers are not those of ``check``. What the weights or the
            made-up inputs can be the reason for (NaN, an index out of range), and what the
            runtime is to blame for, is left to the report.
        UnsupportedError: ``check`` is given and no runtime is installed.
    """
    if check is not None:
        expect(result, check)
    if _LITERT not in worker.installed():
        return None
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

    Raises:
        RefusedError: its outputs are others, or it cannot be run.
    """
    report = verify(result, inputs=check[0], expect=check[1])
    if report.ok:
        return report
    found = [(r.signature, f.message) for r in report.runs for f in r.findings if f.is_problem]
    signature, message = found[0] if found else ("the model", "it cannot be run here")
    raise RefusedError(
        f"`{signature}` does not give the expected outputs: {message}",
        hint="nothing was written; look at the match with --dry-run",
    )


def answers(check: Check, path: Path) -> bool:
    """Whether the outputs match in one runtime; the result is run in all of them at the end."""
    one = [_LITERT] if _LITERT in worker.installed() else None
    return verify(path, inputs=check[0], expect=check[1], runtimes=one).ok
