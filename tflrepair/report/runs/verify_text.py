"""A verification report as lines of text."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from tflrepair.execution.result import ComparedTo, Run, RunStatus, VerifyReport
from tflrepair.report.hints import pasteable
from tflrepair.report.style import safe
from tflrepair.wording import plural

_COMPARED = {
    ComparedTo.REPEAT: "a second fresh interpreter",
    ComparedTo.NO_DELEGATE: "the run without the delegate",
    ComparedTo.AGAINST: "the other model",
    ComparedTo.EXPECT: "the expected outputs",
}


def lines(report: VerifyReport, path: str | None = None) -> list[str]:
    """One line a run, findings indented below it, and at the end what was checked and what not.

    Runs that were not run for the same reason share a line. ``path``: what to call the model in
    commands; default: its own.
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
    return [safe(line) for line in [*found, _summary(report), *_coverage(report, path)]]


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
        f"{counts[RunStatus.OK]} ok, "
        f"{plural(counts[RunStatus.PROBLEM], 'with a problem', 'with problems')}, "
        f"{counts[RunStatus.NOT_RUN]} not run"
    )
    if report.exit_code == 2:
        return f"nothing could be run: {numbers}"
    return f"{'verified' if report.ok else 'problems found'}: {numbers}"


def _coverage(report: VerifyReport, path: str | None) -> list[str]:
    """Which signatures were run, and how to run the others."""
    rows = [f"checked: {', '.join(report.checked)}"] if report.checked else []
    groups = groupby(report.unchecked, lambda row: (_short(row.reason), row.hint))
    for (reason, hint), same in groups:
        names = ", ".join(row.signature for row in same)
        rows.append(f"NOT checked: {names} ({reason})")
        if hint:
            rows.append(f"    to check: {pasteable(hint, path or report.model)}")
    return rows


def _short(reason: str) -> str:
    """The reason without what the line of the run says already."""
    return "needs Flex" if reason.startswith("needs Flex") else reason.split(":")[0]
