"""Let running decide between readings of a weights file: the one that answers as Python did.

Nothing is guessed. Few readings are all run, and one is taken only if it alone answers as expected.
Many are searched: from the likeliest on, group by group, one layer is changed or two are exchanged
as long as that brings the answers nearer to the expected ones. What agrees in the end is taken only
if no reading agrees that differs from it in one such step.

Where a model computes in 8 bits, none agrees to the last digit. Then the nearest is taken, if it is
as near as such rounding explains and all others that were run are much farther.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tflrepair.commands.fix.readings import Reading, Readings, place
from tflrepair.commands.fix.trials import Answer, Trials
from tflrepair.errors import RefusedError
from tflrepair.execution.compare import QUANTIZED
from tflrepair.execution.inputs import Source
from tflrepair.graph.model import Model
from tflrepair.leftovers import workspace
from tflrepair.passes.graft.plan import GraftPlan
from tflrepair.progress import Progress
from tflrepair.weights.types.match_table import CHECKED

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row

MOST = 64  # combinations that are all run; where there are more, they are searched
SEARCHED = 2000  # combinations that a search runs
MUCH_FARTHER = 3  # times the distance of the nearest, for all others

Combination = tuple[Reading, ...]


@dataclass(frozen=True)
class _Tried:
    combination: Combination
    answer: Answer

    @property
    def rank(self) -> tuple[bool, tuple[float, float]]:
        return not self.answer.agrees, self.answer.rank


def resolve_by_running(
    model: Model,
    table: MatchTable,
    plan_of: Callable[[MatchTable], GraftPlan],
    check: tuple[Source, Source],
    progress: Progress,
) -> MatchTable:
    """The table without its ambiguous layers, the readings of which were tried.

    The table comes back as it is if something else is open, too, or if several combinations agree.

    Args:
        plan_of: the graft for a table without problems.
        check: (inputs, expected outputs), each an .npz or a mapping.

    Raises:
        RefusedError: no combination agrees, of all, or of those that a search came to.
        UserError, UnsupportedError: see ``Trials.measure``.
    """
    if not table.problems or not all(problem.choices for problem in table.problems):
        return table
    readings = Readings(table, MOST)
    with workspace() as folder:
        trials = Trials(model, plan_of, check, folder)
        run = _Run(table, trials, progress)
        if readings.is_whole and readings.count <= MOST:
            tried = run.all(list(readings.all()))
        elif not all(readings.groups):
            tried = []
        else:
            tried = _search(readings, run, min(SEARCHED, trials.most))
    best = min(tried, key=lambda one: one.rank, default=None)
    if best is None or not (best.answer.agrees or _is_near(best.answer)):
        raise _nothing_agrees(readings, run.count)
    if best.answer.agrees:
        if sum(one.answer.agrees for one in tried) > 1:
            return table
        why = f"the only one of {run.count} possible matches that gives the expected outputs"
        return _decided(_filled(table, best.combination), why)
    return _decided(_filled(table, best.combination), _nearest(best, tried))


class _Run:
    """Runs combinations and counts them."""

    def __init__(self, table: MatchTable, trials: Trials, progress: Progress) -> None:
        self._table, self._trials, self._progress = table, trials, progress
        self.count = 0

    def all(self, combinations: Sequence[Combination]) -> list[_Tried]:
        self._progress("running the possible matches", self.count, 0)
        answers = self._trials.measure([_filled(self._table, c) for c in combinations])
        self.count += len(combinations)
        return [_Tried(*pair) for pair in zip(combinations, answers, strict=True)]


def _search(readings: Readings, run: _Run, most: int) -> list[_Tried]:
    """The best combination that a descent comes to, and all that are one step from it."""
    (best,) = run.all([tuple(group[0] for group in readings.groups)])
    improved = True
    while improved and not best.answer.agrees and run.count < most:
        improved = False
        for group in range(len(readings.groups)):
            while not best.answer.agrees and run.count < most:
                tried = run.all(readings.near(best.combination, group))
                nearest = min(tried, key=lambda one: one.rank, default=best)
                if nearest.rank >= best.rank:
                    break
                best, improved = nearest, True
    beside = [c for g in range(len(readings.groups)) for c in readings.near(best.combination, g)]
    return [best, *run.all(beside)]


def _is_near(answer: Answer) -> bool:
    return answer.is_rounded and answer.distance <= QUANTIZED


def _nearest(best: _Tried, tried: Sequence[_Tried]) -> str:
    """Why the nearest is taken.

    Raises:
        RefusedError: another one is nearly as near.
    """
    others = [one.answer.distance for one in tried if one is not best]
    second, first = min(others, default=float("inf")), best.answer.distance
    if second < MUCH_FARTHER * first:
        raise RefusedError(
            "the model is quantized, and two possible matches give nearly the same outputs: "
            f"{first:.1%} and {second:.1%} of the outputs' spread from what is expected",
            hint="give other inputs with --check, or decide with --map FILE (see --map-out)",
        )
    return (
        f"the nearest of {len(tried)} possible matches to the expected outputs: {first:.1%} "
        f"of their spread away, the next {second:.0%}"
    )


def _nothing_agrees(readings: Readings, count: int) -> RefusedError:
    if readings.is_whole and readings.count <= MOST:
        return RefusedError(
            f"the weights can be matched in {count} ways, and none gives the expected outputs",
            hint="do the expected outputs come from these weights? --dry-run shows the match",
        )
    return RefusedError(
        f"the weights can be matched in more than {MOST} ways; of {count} that were run, group by "
        "group, none gives the expected outputs: the layers cannot be told apart one by one",
        hint="decide some with --map FILE (see --dry-run, and --map-out to begin with)",
    )


def _filled(table: MatchTable, combination: Combination) -> MatchTable:
    from tflrepair.weights.starts.starting import copied

    rows = [row for reading in combination for layer in reading for row in layer]
    by_name = {row.target.shared_name: row for row in (*table.rows, *rows)}
    places = {place(row) for row in rows}
    return replace(
        table,
        rows=tuple(copied(by_name[row.target.shared_name], by_name) for row in table.rows),
        problems=(),
        unused=tuple(w for w in table.unused if (w.source, w.path) not in places),
    )


def _decided(table: MatchTable, why: str) -> MatchTable:
    return replace(table, rows=tuple(_named(row, why) for row in table.rows))


def _named(row: Row, why: str) -> Row:
    if row.confidence != CHECKED or "alone of" in row.reason:
        return row
    return replace(row, reason=f"{row.reason}: {why}")
