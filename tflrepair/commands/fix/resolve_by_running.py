"""Let running decide between readings of a weights file: the one that answers as Python did.

Nothing is guessed: every combination of the readings left is grafted and run, and one is taken only
if it alone answers as expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.errors import RefusedError
from tflrepair.graph.model import Model
from tflrepair.leftovers import workspace
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan
from tflrepair.progress import Progress

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row

MOST = 64  # combinations that are run; each takes a child process
_MOST_PARTIAL = 4096  # of the first layers' readings; more than that do not shrink to MOST

Agrees = Callable[[Path], bool]
PlanOf = Callable[["MatchTable"], GraftPlan]


def resolve_by_running(
    model: Model, table: MatchTable, plan_of: PlanOf, agrees: Agrees, progress: Progress
) -> MatchTable:
    """The table without its ambiguous layers, each reading of which was tried.

    The table comes back as it is if something else is open, too, or if several combinations agree.

    Args:
        plan_of: the graft for a table without problems.
        agrees: whether the model in this file answers as expected.

    Raises:
        RefusedError: no combination agrees, or there are more than ``MOST``.
    """
    if not table.problems or not all(problem.choices for problem in table.problems):
        return table
    tables = [_filled(table, rows) for rows in _combinations(table)]
    found = []
    with workspace() as folder:
        for number, candidate in enumerate(tables):
            progress("running each reading", number, len(tables))
            path = folder / "reading.tflite"
            with path.open("wb") as stream:
                graft(model, plan_of(candidate)).write(stream)
            if agrees(path):
                found.append(candidate)
            if len(found) > 1:
                return table
    if not found:
        raise RefusedError(
            f"the weights can be read in {len(tables)} ways, and none gives the expected outputs",
            hint="do the expected outputs come from these weights? "
            "Look at the match with --dry-run",
        )
    return _decided(found[0], len(tables))


def _combinations(table: MatchTable) -> list[tuple[Row, ...]]:
    """Every combination of readings that takes no array twice.

    Raises:
        RefusedError: there are more than ``MOST``, or finding them takes too many steps.
    """
    taken = frozenset(_place(row) for row in table.rows if row.weight is not None)
    partial: list[tuple[tuple[Row, ...], frozenset[tuple[str, str]]]] = [((), taken)]
    # one layer after the other; most combinations of layers alike die early, on a common array
    for problem in sorted(table.problems, key=lambda problem: len(problem.choices)):
        grown = []
        for rows, used in partial:
            for reading in problem.choices:
                places = frozenset(map(_place, reading))
                if len(places) == len(reading) and not places & used:
                    grown.append((rows + reading, used | places))
        partial = grown
        if len(partial) > _MOST_PARTIAL:
            break
    if len(partial) > MOST:
        raise RefusedError(
            f"the weights can be read in more than {MOST} ways, too many to run them all",
            hint="decide some of them with --map FILE; --map-out FILE writes a map to start from",
        )
    return [rows for rows, _ in partial]


def _filled(table: MatchTable, rows: tuple[Row, ...]) -> MatchTable:
    from tflrepair.weights.starts.starting import copied

    by_name = {row.target.shared_name: row for row in (*table.rows, *rows)}
    places = {_place(row) for row in rows}
    return replace(
        table,
        rows=tuple(copied(by_name[row.target.shared_name], by_name) for row in table.rows),
        problems=(),
        unused=tuple(w for w in table.unused if (w.source, w.path) not in places),
    )


def _decided(table: MatchTable, count: int) -> MatchTable:
    return replace(table, rows=tuple(_named(row, count) for row in table.rows))


def _named(row: Row, count: int) -> Row:
    if row.confidence != "checked":
        return row
    reason = f"{row.reason}: the only one of {count} readings that gives the expected outputs"
    return replace(row, reason=reason)


def _place(row: Row) -> tuple[str, str]:
    return (row.weight.source, row.weight.path) if row.weight else ("", row.target.shared_name)
