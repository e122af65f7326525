"""Let running decide between readings of a weights file: the one that answers as Python did.

Nothing is guessed: combinations of the readings left are grafted and run, the likeliest first, and
one is taken only if it answers as expected, and no other one that was run does. Where there are
more combinations than can be run, the others are those that differ from it in one group of layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.commands.fix.readings import Readings, place
from tflrepair.errors import RefusedError
from tflrepair.graph.model import Model
from tflrepair.leftovers import workspace
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan
from tflrepair.progress import Progress
from tflrepair.weights.types.match_table import CHECKED

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row

MOST = 64  # combinations that are run; each takes a child process

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
        RefusedError: no combination agrees, of all, or of the ``MOST`` likeliest.
    """
    if not table.problems or not all(problem.choices for problem in table.problems):
        return table
    readings = Readings(table, MOST)
    few = readings.is_whole and readings.count <= MOST
    found, tried = [], 0
    with workspace() as folder:
        path = folder / "reading.tflite"
        for rows in readings.likeliest(MOST):
            progress("running each reading", tried, min(readings.count, MOST))
            tried += 1
            candidate = _filled(table, rows)
            with path.open("wb") as stream:
                graft(model, plan_of(candidate)).write(stream)
            if agrees(path):
                found.append(candidate)
            if len(found) > 1:
                return table
    if found:
        return _decided(found[0], tried)
    if not few:
        raise RefusedError(
            f"the weights can be read in more than {MOST} ways; the likeliest {tried} do not "
            "give the expected outputs",
            hint="decide some with --map FILE (see --dry-run, and --map-out to begin with)",
        )
    raise RefusedError(
        f"the weights can be read in {tried} ways, and none gives the expected outputs",
        hint="do the expected outputs come from these weights? Look at the match with --dry-run",
    )


def _filled(table: MatchTable, rows: tuple[Row, ...]) -> MatchTable:
    from tflrepair.weights.starts.starting import copied

    by_name = {row.target.shared_name: row for row in (*table.rows, *rows)}
    places = {place(row) for row in rows}
    return replace(
        table,
        rows=tuple(copied(by_name[row.target.shared_name], by_name) for row in table.rows),
        problems=(),
        unused=tuple(w for w in table.unused if (w.source, w.path) not in places),
    )


def _decided(table: MatchTable, count: int) -> MatchTable:
    return replace(table, rows=tuple(_named(row, count) for row in table.rows))


def _named(row: Row, count: int) -> Row:
    if row.confidence != CHECKED or "alone of" in row.reason:
        return row
    reason = f"{row.reason}: the only one of {count} readings that gives the expected outputs"
    return replace(row, reason=reason)
