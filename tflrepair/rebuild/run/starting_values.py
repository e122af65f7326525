"""The values that a rebuilt module's variables and tables start with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Variable
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.rebuild.ir.steps import Plan
from tflrepair.rebuild.run.trace import Tracer
from tflrepair.wording import plural, verb

if TYPE_CHECKING:
    import numpy.typing as npt

Values = Mapping[ResourceId, "npt.NDArray[Any]"]


@dataclass(frozen=True)
class StartingValue:
    """Where a variable starts: its value, and the shape that it keeps (-1 where open)."""

    value: npt.NDArray[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StartingValues:
    """All variables in order of appearance, and each table's keys and values."""

    variables: Mapping[ResourceId, StartingValue]
    tables: Mapping[ResourceId, tuple[npt.NDArray[Any], npt.NDArray[Any]]]


def starting_values(plan: Plan, values: Values) -> StartingValues:
    """Values given in ``values`` (by resource), else what the model's own initializers assign,
    else zeros for a variable that every signature sets before it reads it.

    Raises:
        RefusedError: a variable is read before it is set and has no value, or a value has
            another dtype or shape than its variable.
        UnsupportedError: an initializer does more than assign what it can compute alone.
    """
    analysis = plan.context.analysis
    recorded = _run_initializers(plan)
    _refuse_strangers(values, analysis.variables)
    variables: dict[ResourceId, StartingValue] = {}
    missing = []
    for variable in analysis.variables:
        value = values.get(variable.key, recorded.values.get(variable.key))
        if value is not None:
            variables[variable.key] = _checked(variable, value)
        elif variable.unset_in:
            missing.append(variable.name)
        elif variable.dtype is not None and variable.shape is not None:
            variables[variable.key] = _zeros(variable.dtype, variable.shape)
    if missing:
        names = ", ".join(missing[:8]) + (", ..." if len(missing) > 8 else "")
        raise RefusedError(
            f"{plural(len(missing), 'variable')} {verb(len(missing), 'has', 'have')} no "
            f"value: {names}",
            hint="give them with --weights or --set",
        )
    for key, (dtype, shape) in plan.states.items():
        variables[key] = _zeros(dtype, shape)
    lacking = plan.tables.keys() - recorded.tables.keys()
    if lacking:
        raise RefusedError(f"hash tables {sorted(k.shared_name for k in lacking)} are never filled")
    return StartingValues(variables, recorded.tables)


def _refuse_strangers(values: Values, variables: tuple[Variable, ...]) -> None:
    strangers = values.keys() - {variable.key for variable in variables}
    if strangers:
        names = ", ".join(sorted(key.shared_name for key in strangers)[:8])
        raise RefusedError(f"the model has no variable for these values: {names}")


def _checked(variable: Variable, value: npt.NDArray[Any]) -> StartingValue:
    import numpy as np
    import tensorflow as tf

    value = np.asarray(value)
    shape = value.shape if variable.shape is None else variable.shape
    fits = len(shape) == value.ndim and all(
        a in (-1, b) for a, b in zip(shape, value.shape, strict=False)
    )
    dtype = "object" if value.dtype.kind in "OSU" else tf.as_dtype(value.dtype).name
    wanted = {None: dtype, "string": "object"}.get(variable.dtype, variable.dtype)
    if not fits or dtype != wanted:
        raise RefusedError(
            f"variable {variable.name} is {variable.dtype}{list(shape)}, "
            f"but its value is {dtype}{list(value.shape)}"
        )
    return StartingValue(value, shape)


def _zeros(dtype: str, shape: tuple[int, ...]) -> StartingValue:
    import numpy as np
    import tensorflow as tf

    kind = tf.as_dtype(dtype).as_numpy_dtype
    sizes = [max(size, 0) for size in shape]
    empty = np.full(sizes, b"", object) if dtype == "string" else np.zeros(sizes, kind)
    return StartingValue(empty, shape)


class _Record:
    """Resources that only remember what an initializer assigns."""

    def __init__(self) -> None:
        self.values: dict[ResourceId, Any] = {}
        self.tables: dict[ResourceId, tuple[Any, Any]] = {}

    def read(self, key: ResourceId) -> Any:
        if key not in self.values:
            raise UnsupportedError(f"an initializer reads variable {key.shared_name} unset")
        return self.values[key]

    def assign(self, key: ResourceId, value: Any) -> None:
        self.values[key] = value.numpy()

    def fill(self, key: ResourceId, keys: Any, values: Any) -> None:
        self.tables[key] = (keys.numpy(), values.numpy())

    def handle(self, key: ResourceId) -> Any:
        raise UnsupportedError(f"an initializer passes resource {key.shared_name} to an operator")

    def table(self, key: ResourceId) -> Any:
        raise UnsupportedError(f"an initializer looks into hash table {key.shared_name}")


def _run_initializers(plan: Plan) -> _Record:
    record = _Record()
    tracer = Tracer(plan, record)
    for identity in plan.initializers:
        tracer.call(identity, ())
    return record
