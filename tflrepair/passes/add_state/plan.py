"""Which variables ``get_weights`` and ``set_weights`` will hold, decided before writing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.errors import RefusedError, UnsupportedError, UserError
from tflrepair.graph.model import Model

GET, SET, DONE = "get_weights", "set_weights", "done"
TRAINED, ALL = "trained", "all"
STATES = (TRAINED, ALL)


@dataclass(frozen=True)
class Held:
    """A variable under the name that it has in both signatures."""

    name: str
    key: ResourceId
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StatePlan:
    """``held`` in order of first appearance; ``targets``: initializers that come first.

    A first CALL_ONCE after ``set_weights`` would undo it, so both signatures begin with all that
    any signature begins with.
    """

    held: tuple[Held, ...]
    targets: tuple[int, ...]

    @property
    def changes(self) -> bool:
        return bool(self.held)


def plan_state(context: AnalysisContext, state: str = TRAINED) -> StatePlan:
    """Plan both signatures; a plan that changes nothing if the model has them already.

    Args:
        state: ``trained``: the variables that some signature assigns; ``all``: every variable.

    Raises:
        UserError: no such state.
        RefusedError: the model is broken, or has one of the signatures with other contents.
        UnsupportedError: a variable lives in the Flex delegate or has no fixed size, or the model
            has no signatures to which these could be added.
    """
    if state not in STATES:
        raise UserError(f"no state {state!r}", hint=f"choose from {', '.join(STATES)}")
    model, analysis = context.model, context.analysis
    if not model.signatures:
        raise UnsupportedError(
            "the model has no signatures, and runtimes would take the new ones for all there are",
            hint="convert it with a signature",
        )
    variables = [v for v in analysis.variables if state == ALL or _assigned(analysis, v)]
    if not variables:
        why = "it has no variables" if not analysis.variables else "no signature assigns a variable"
        raise RefusedError(f"there is no state to hand out: {why}", hint="see --state all")
    held = _held(variables)
    if _present(model, held):
        return StatePlan((), ())
    for variable in variables:
        _check(variable)
    targets = {target: None for entry in analysis.entries for _, target in entry.calls_once}
    return StatePlan(held, tuple(targets))


def _assigned(analysis: Analysis, variable: Variable) -> bool:
    starts = set(analysis.initializers)
    return any(site.subgraph not in starts for site in variable.assigned_by)


def _held(variables: list[Variable]) -> tuple[Held, ...]:
    count = Counter(v.name for v in variables)
    return tuple(
        Held(
            v.name if count[v.name] == 1 else f"{v.key.container}/{v.name}",
            v.key,
            v.dtype or "",
            v.shape or (),
        )
        for v in variables
    )


def _present(model: Model, held: tuple[Held, ...]) -> bool:
    """Whether both signatures are there with these names.

    Raises:
        RefusedError: one is there and something is different.
    """
    found = {s.key: s for s in model.signatures if s.key in (GET, SET)}
    if not found:
        return False
    names = sorted(row.name for row in held)
    same = len(found) == 2 and (
        sorted(name for name, _ in found[GET].outputs) == names
        and sorted(name for name, _ in found[SET].inputs) == names
    )
    if not same:
        raise RefusedError(
            f"the model has a signature {sorted(found)[0]} of its own that holds other variables"
        )
    return True


def _check(variable: Variable) -> None:
    if variable.key.kind != "builtin":
        raise UnsupportedError(
            f"variable {variable.name!r} lives in the Flex delegate ({variable.dtype})",
            hint="tflrepair rebuild MODEL --no-flex -o OUT makes a builtin variable of it",
        )
    if variable.status != VariableStatus.INITIALIZED:
        raise RefusedError(
            f"variable {variable.name!r} is {variable.status}",
            hint="repair the model first: tflrepair fix MODEL --weights FILE",
        )
    if variable.nbytes is None or variable.conflicts:
        raise UnsupportedError(f"variable {variable.name!r} has no fixed type and shape")
