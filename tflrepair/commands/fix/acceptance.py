"""Running the result before it gets its name: it must answer, always the same, and as expected."""

from __future__ import annotations

from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.commands.fix.options import Acceptance, Check
from tflrepair.errors import RefusedError
from tflrepair.execution import worker
from tflrepair.execution.result import Symptom, VerifyReport

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


def accept(result: AnalysisContext, wanted: Acceptance) -> VerifyReport | str:
    """Run what was written; or, in words, why it was not run.

    Raises:
        RefusedError: a signature crashes, still lacks a variable, or answers differently in each
            fresh interpreter; or the answers are not those of ``check``. What the weights or the
            made-up inputs can be the reason for (NaN, an index out of range) is left to the
            report.
        UnsupportedError: ``check`` is given and no runtime is installed.
    """
    if not wanted.run:
        return AS_ASKED
    if wanted.check is not None:
        expect(result, wanted.check)
    if _LITERT not in worker.installed():
        return NO_RUNTIME
    from tflrepair.execution.verify import verify

    report = verify(result, runtimes=[_LITERT])
    for run in report.runs:
        for finding in run.findings:
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
    from tflrepair.execution.verify import verify

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
    from tflrepair.execution.verify import verify

    one = [_LITERT] if _LITERT in worker.installed() else None
    return verify(path, inputs=check[0], expect=check[1], runtimes=one).ok
