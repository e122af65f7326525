"""What a target lacks, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.report import layout
from tflrepair.report.contract.scan import TargetItem
from tflrepair.report.style import Style, safe
from tflrepair.targets.arena import Arena
from tflrepair.targets.judge import Target, TargetReport
from tflrepair.wording import grouped


def lines(report: TargetReport, arena: Arena | None, style: Style, width: int) -> Iterator[str]:
    refused = arena is not None and arena.refused
    head = style("nothing is missing", "green")
    if refused or not report.ok:
        head = style("does not run" if refused else "lacks these", "red", "bold")
    yield f"{style(f'Target {report.target}', 'bold')}  {head}"
    for row in report.lacking:
        text = f"{safe(row.kind)} ({row.count}): {row.why}; first at operator {row.first.operator}"
        yield from layout.wrap(f"{text} of subgraph {row.first.subgraph}", "  ", width, "    ")
    for note in report.notes:
        yield from layout.wrap(note, "  ", width, "    ")
    if arena is not None and arena.total is not None:
        yield f"  arena: {grouped(arena.total)} bytes, measured on this machine"
    elif told := _not_measured(report, arena):
        yield from layout.wrap(told, "  ", width, "    ")
    if report.resolver:
        yield "  the resolver to paste:"
        yield from (f"    {line}" for line in report.resolver)
    yield from layout.wrap(f"known from {report.source}", "  ", width, "    ")


def _not_measured(report: TargetReport, arena: Arena | None) -> str:
    """Why there is no arena; empty where that needs no word."""
    if arena is None:
        tells = report.target is Target.TFLM and report.ok
        return "arena: `pip install tflite-micro`, and it is measured" if tells else ""
    if arena.refused:
        return f"tflite-micro, run here, does not take the model: {safe(arena.error)}"
    return f"arena: not measured: {safe(arena.error)}" if arena.total is None else ""


def item(report: TargetReport, arena: Arena | None) -> TargetItem:
    """The same as data."""
    return {
        "target": str(report.target),
        "source": report.source,
        "ok": report.ok and not (arena is not None and arena.refused),
        "lacking": [
            {
                "kind": row.kind,
                "count": row.count,
                "subgraph": row.first.subgraph,
                "operator": row.first.operator,
                "why": row.why,
            }
            for row in report.lacking
        ],
        "resolver": list(report.resolver),
        "notes": [*report.notes, *filter(None, [_not_measured(report, arena)])],
        "arena": None if arena is None else arena.total,
    }
