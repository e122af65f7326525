"""Add ``get_weights`` and ``set_weights`` to a model, in a new file, without TensorFlow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.files import atomic, check_free, check_no_input
from tflrepair.graph.model import Source, load
from tflrepair.notebook import Presentable
from tflrepair.passes.add_state.add_state import AddStatePass
from tflrepair.passes.add_state.plan import GET, SET, TRAINED, StatePlan, plan_state
from tflrepair.progress import silent
from tflrepair.rewrite.pipeline import run_passes
from tflrepair.wording import plural


@dataclass(frozen=True, repr=False)
class StateResult(Presentable):
    """What was added.

    Attributes:
        out: path of the new file; None if the model has both signatures already.
        names: the variables that they hold.
        size: bytes of the new file.
        run: whether LiteRT handed the state from one interpreter to another without a difference;
            None where it is not installed.
    """

    out: str | None
    names: tuple[str, ...]
    size: int = 0
    run: bool | None = None

    def headline(self) -> str:
        return f"{self.out or 'nothing written'}: {plural(len(self.names), 'variable')} of state"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each variable."""
        return [{"variable": name} for name in self.names]


def add_state(
    model: Source,
    out: str | os.PathLike[str],
    *,
    state: str = TRAINED,
    force: bool = False,
) -> StateResult:
    """Write a copy of ``model`` with signatures that return and set its variables.

    Args:
        state: ``trained``: the variables that some signature assigns; ``all``: every variable.
        force: replace ``out`` if it exists.

    Raises:
        BadFileError: the model is damaged.
        UserError: ``out`` exists or is the model itself; no such ``state``.
        RefusedError: the model is broken, or has such signatures with other contents.
        UnsupportedError: a variable lives in the Flex delegate, or the model has no signatures.
    """
    target = Path(out)
    check_no_input(target, [model] if isinstance(model, str | os.PathLike) else [])
    check_free(target, force)
    before = AnalysisContext(load(model))
    plan = plan_state(before, state)
    if not plan.changes:
        return StateResult(None, ())
    with atomic(target, force) as output:
        after = run_passes([AddStatePass(state)], before, output, silent).context
        assert after is not None  # the plan changes something
        ran = _round_trip(Path(str(after.model.path)), plan)
    names = tuple(row.name for row in plan.held)
    return StateResult(str(target), names, after.model.size, ran)


def _round_trip(path: Path, plan: StatePlan) -> bool | None:
    """Ask for the state and give it to a fresh interpreter, in a child process.

    Raises:
        RefusedError: it does not come back as it was.
    """
    from tflrepair.execution import runner, runtimes, worker

    if "litert" not in worker.installed():
        return None
    runtime = runtimes.find(["litert"])[0]
    names = [row.name for row in plan.held]
    got = runner.run(runtime, [runner.Task(str(path), (runner.RunCall(GET, {}),), True)])[0][0]
    if got.status != runner.OutcomeStatus.OK:
        raise RefusedError(f"{GET} of the result does not run: {got.text}")
    calls = (runner.RunCall(SET, got.outputs), runner.RunCall(GET, {}))
    back = runner.run(runtime, [runner.Task(str(path), calls, True)])[0][-1]
    same = back.status == runner.OutcomeStatus.OK and all(
        back.outputs[name].tobytes() == got.outputs[name].tobytes() for name in names
    )
    if not same:
        raise RefusedError(f"{SET} of the result does not give back what {GET} gave: {back.text}")
    return True
