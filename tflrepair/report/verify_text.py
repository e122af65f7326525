"""A verification report as lines of text."""

from __future__ import annotations

from collections import Counter

from tflrepair.execution.result import ComparedTo, Run, RunStatus, VerifyReport
from tflrepair.report.style import safe

_COMPARED = {
    ComparedTo.REPEAT: "a second fresh interpreter",
    ComparedTo.NO_DELEGATE: "the run without the delegate",
    ComparedTo.AGAINST: "the other model",
    ComparedTo.EXPECT: "the expected outputs",
}


def lines(report: VerifyReport) -> list[str]:
    """One line a run, findings indented below it, and a last line that sums up.

    Runs that were not run for the same reason share a line.
    """
    found: list[str] = []
    for run in report.runs:
        if run.status == RunStatus.NOT_RUN:
            head = f"{run.signature}  {run.runtime}: not run: {run.reason}"
            found += [head] if head not in found else []
            continue
        mode = "default delegate" if run.delegate == "default" else "no delegate"
        found.append(f"{run.signature}  {run.runtime}, {mode}: {run.status}")
        found += _findings(run)
        found += _differences(run)
    return [safe(line) for line in [*found, _summary(report)]]


def _findings(run: Run) -> list[str]:
    """What differs in nothing but its inputs is said once."""
    merged: dict[tuple[str, str], list[str]] = {}
    for row in run.findings:
        merged.setdefault((row.code, row.message), []).append(row.inputs or "any input")
    return [
        f"    {kind} ({', '.join(inputs)}): {message}" for (kind, message), inputs in merged.items()
    ]


def _differences(run: Run) -> list[str]:
    """The largest difference to each thing that the outputs were compared with."""
    rows = []
    for to, words in _COMPARED.items():
        compared = [c for c in run.comparisons if c.to == to and c.max_abs is not None]
        if compared and run.status == RunStatus.OK:
            worst = max(compared, key=lambda row: row.max_abs or 0.0)
            rows.append(
                f"    largest difference from {words}: {worst.max_abs:.3g} ({worst.output})"
            )
    return rows


def _summary(report: VerifyReport) -> str:
    counts = Counter(run.status for run in report.runs)
    numbers = (
        f"{counts[RunStatus.OK]} ok, {counts[RunStatus.PROBLEM]} with problems, "
        f"{counts[RunStatus.NOT_RUN]} not run"
    )
    if report.exit_code == 2:
        return f"nothing could be run: {numbers}"
    return f"{'verified' if report.ok else 'problems found'}: {numbers}"
