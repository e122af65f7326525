"""What a target lacks, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.report import layout
from tflrepair.report.contract.scan import TargetItem
from tflrepair.report.style import Style, safe
from tflrepair.targets.arena import Arena
from tflrepair.targets.judge import TargetReport
from tflrepair.wording import grouped


def lines(report: TargetReport, arena: Arena | None, style: Style, width: int) -> Iterator[str]:
    head = style("nothing is missing", "green") if report.ok else style("missing", "red", "bold")
    yield f"{style(f'Target {report.target}', 'bold')}  {head}"
    for row in report.lacking:
        text = f"{safe(row.kind)} ({row.count}): {row.why}; first at operator {row.first.operator}"
        yield from layout.wrap(f"{text} of subgraph {row.first.subgraph}", "  ", width, "    ")
    for note in report.notes:
        yield from layout.wrap(note, "  ", width, "    ")
    if arena is not None and arena.total is not None:
        yield f"  arena: {grouped(arena.total)} bytes, measured on this machine"
    elif arena is not None:
        yield from layout.wrap(f"arena: not measured: {safe(arena.error)}", "  ", width, "    ")
    if report.resolver:
        yield "  the resolver to paste:"
        yield from (f"    {line}" for line in report.resolver)
    yield from layout.wrap(f"known from {report.source}", "  ", width, "    ")


def item(report: TargetReport, arena: Arena | None) -> TargetItem:
    """The same as data."""
    return {
        "target": str(report.target),
        "source": report.source,
        "ok": report.ok,
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
        "notes": list(report.notes),
        "arena": None if arena is None else arena.total,
    }
