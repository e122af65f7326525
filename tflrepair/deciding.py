"""Let running decide between readings of a weights file: the one that answers as Python did.

Nothing is guessed: every combination of the readings left is grafted and run, and one is taken only
if it alone answers as expected.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.errors import RefusedError
from tflrepair.model import Model
from tflrepair.repair.graft import graft
from tflrepair.repair.plan import GraftPlan

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row

MOST = 64  # combinations that are run; each takes a child process

Agrees = Callable[[Path], bool]
PlanOf = Callable[["MatchTable"], GraftPlan]
Progress = Callable[[str, int, int], None]


def decide(
    model: Model, table: MatchTable, plan_of: PlanOf, agrees: Agrees, tell: Progress
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
    tables = list(islice(_tables(table), MOST + 1))
    if len(tables) > MOST:
        raise RefusedError(
            f"the weights can be read in more than {MOST} ways, too many to run them all",
            hint="decide some with --map FILE (see --dry-run, and --map-out to begin with)",
        )
    found = []
    with tempfile.TemporaryDirectory(prefix="tflrepair-") as folder:
        for number, candidate in enumerate(tables):
            tell("running each reading", number, len(tables))
            path = Path(folder) / "reading.tflite"
            with path.open("wb") as stream:
                graft(model, plan_of(candidate)).write(stream)
            if agrees(path):
                found.append(candidate)
    if not found:
        raise RefusedError(
            f"the weights can be read in {len(tables)} ways, none of which answers as expected",
            hint="is this the file that the expected answers come from? "
            "Look at the match with --dry-run",
        )
    return _decided(found[0], len(tables)) if len(found) == 1 else table


def _tables(table: MatchTable) -> Iterator[MatchTable]:
    """Every combination of readings that takes no array twice, its rows filled in."""
    taken = {_place(row) for row in table.rows if row.weight is not None}
    for chosen in product(*(problem.choices for problem in table.problems)):
        rows = [row for reading in chosen for row in reading]
        places = {_place(row) for row in rows}
        if len(places) == len(rows) and not places & taken:
            by_name = {row.target.shared_name: row for row in rows}
            yield replace(
                table,
                rows=tuple(by_name.get(row.target.shared_name, row) for row in table.rows),
                problems=(),
                unused=tuple(w for w in table.unused if (w.source, w.path) not in places),
            )


def _decided(table: MatchTable, count: int) -> MatchTable:
    return replace(table, rows=tuple(_named(row, count) for row in table.rows))


def _named(row: Row, count: int) -> Row:
    if row.confidence != "checked":
        return row
    return replace(row, reason=f"{row.reason}: alone of {count} readings it answers as expected")


def _place(row: Row) -> tuple[str, str]:
    return (row.weight.source, row.weight.path) if row.weight else ("", row.target.shared_name)
