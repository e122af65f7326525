"""Running many readings of a weights file: what each answers, in few child processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import UnsupportedError
from tflrepair.execution import compare, runtimes, worker
from tflrepair.execution.inputs import Source
from tflrepair.execution.plans import Plan, plans_of
from tflrepair.execution.runner import Outcome, OutcomeStatus, Task, run
from tflrepair.execution.runtimes import Runtime
from tflrepair.execution.verify import call_of
from tflrepair.graph.model import Model, load
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan
from tflrepair.views.quantized import dequantize

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable
from tflrepair.weights.types.remedies import remedy

_AT_ONCE, _BYTES_AT_ONCE = 64, 256 << 20  # files on the disk at the same time
_MOST_BYTES = 16 << 30  # written in all


@dataclass(frozen=True)
class Answer:
    """What a reading answers.

    Attributes:
        agrees: as expected, within the rounding of float32.
        distance: from what is expected (``compare.distance``), root mean square of all outputs.
        matching: share of the elements that are as expected: a layer that alone makes a part of
            an output gets it right whatever the others do.
        is_rounded: whether the answers are computed in few bits, so that none may agree.
    """

    agrees: bool
    distance: float
    matching: float
    is_rounded: bool

    @property
    def rank(self) -> tuple[float, float]:
        """The less, the better."""
        return (0 if self.is_rounded else -self.matching), self.distance


class Trials:
    """Grafts readings into a model and runs those signatures that something is expected of."""

    def __init__(
        self,
        model: Model,
        plan_of: Callable[[MatchTable], GraftPlan],
        check: tuple[Source, Source],
        folder: Path,
    ) -> None:
        self._model, self._plan_of, self._check = model, plan_of, check
        self._folder = folder
        self._plans: list[Plan] = []
        self._runtime: Runtime | None = None
        size = max(1, model.size)
        self._at_once = max(1, min(_AT_ONCE, _BYTES_AT_ONCE // size))
        self.most = max(_AT_ONCE, _MOST_BYTES // size)

    def measure(self, tables: Sequence[MatchTable]) -> list[Answer]:
        """What each table's values make the model answer.

        Raises:
            UserError: the files of the check do not fit the model.
            UnsupportedError: no runtime here can run the signatures.
        """
        found: list[Answer] = []
        for start in range(0, len(tables), self._at_once):
            found += self._measured(tables[start : start + self._at_once])
        return found

    def _measured(self, tables: Sequence[MatchTable]) -> list[Answer]:
        paths = []
        for number, table in enumerate(tables):
            path = self._folder / f"reading{number}.tflite"
            with path.open("wb") as stream:
                graft(self._model, self._plan_of(table)).write(stream)
            paths.append(path)
        if self._runtime is None:
            context = AnalysisContext(load(paths[0]))
            everything = plans_of(context, None, *self._check)
            self._plans = [plan for plan in everything if plan.sets and plan.expected]
            self._runtime = _runtime(self._plans)
        tasks = [
            Task(str(path), (call_of(plan.entry, plan.entry, arrays),), bool(plan.entry.flex))
            for path in paths
            for plan in self._plans
            for arrays in plan.sets.values()
        ]
        outcomes = [calls[0] for calls in run(self._runtime, tasks)]
        count = len(outcomes) // len(paths)
        return [self._judged(outcomes[n * count : n * count + count]) for n in range(len(paths))]

    def _judged(self, outcomes: Sequence[Outcome]) -> Answer:
        agrees, far = True, list[float]()
        matching = elements = 0
        for plan, outcome in zip(self._plans, outcomes, strict=True):
            ports = {port.name: port.tensor for port in plan.entry.outputs}
            for name, want in (plan.expected or {}).items():
                got = outcome.outputs.get(name)
                if outcome.status != OutcomeStatus.OK or got is None:
                    return Answer(False, float("inf"), 0.0, False)
                got = dequantize(got, ports[name]) if want.dtype.kind == "f" else got
                gap = compare.gap(name, got, want, compare.RTOL, compare.ATOL)
                agrees &= gap.within
                elements += want.size
                matching += compare.matching(got, want, compare.RTOL, compare.ATOL)
                far.append(0.0 if gap.within else compare.distance(got, want))
        mean = math.sqrt(sum(d * d for d in far) / len(far))
        is_rounded = any(plan.entry.quantised for plan in self._plans)
        return Answer(agrees, mean, matching / max(1, elements), is_rounded)


def _runtime(plans: Sequence[Plan]) -> Runtime:
    flex = [plan.entry.label for plan in plans if plan.entry.flex]
    litert = "litert" in worker.installed() and not flex
    found = runtimes.find(["litert"] if litert else None)
    able = [runtime for runtime in found if runtime.may_have_flex or not flex]
    if not able:
        raise UnsupportedError(
            f"`{flex[0]}` needs Flex, which no runtime here has, so --check cannot run it",
            hint=remedy("no-flex"),
        )
    return able[0]
