"""A plan as a tf.Module whose tf.functions need builtin operators only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import TflRepairError, UnsupportedError
from tflrepair.graph.location import OperatorRef
from tflrepair.passes.add_state.plan import DONE, GET, SET
from tflrepair.rebuild.ir.python_names import input_names
from tflrepair.rebuild.ir.steps import SignatureFunction
from tflrepair.rebuild.ir.tensor_facts import dtype_of
from tflrepair.rebuild.lower.choose import Chosen
from tflrepair.rebuild.lower.trace.made import Made, without_builtin
from tflrepair.rebuild.lower.trace.tracer import LoweringTracer
from tflrepair.rebuild.requests import NoFlex
from tflrepair.rebuild.run.module import Live
from tflrepair.rebuild.run.starting_values import StartingValue, StartingValues
from tflrepair.rebuild.run.trace import Tracer
from tflrepair.wording import grouped

# Types that builtin variables do not have, and the type that holds all of their values.
CARRIERS = {
    "float16": "float32", "bfloat16": "float32", "int16": "int32", "uint16": "int32",
    "uint32": "int64",
}  # fmt: skip


class InexpressibleError(UnsupportedError):
    """TensorFlow operators that builtin ones cannot express; the message has a line for each."""

    listing = True


class Carried(Live):
    """Variables of types that have no builtin kernel live in wider ones, which lose nothing."""

    def __init__(self, starts: StartingValues, carry: bool) -> None:
        import numpy as np

        self.narrow: dict[ResourceId, str] = {}
        variables = {}
        for key, start in starts.variables.items():
            name = np.asarray(start.value).dtype.name
            if carry and name in CARRIERS:
                self.narrow[key] = name
                start = StartingValue(np.asarray(start.value).astype(CARRIERS[name]), start.shape)
            variables[key] = start
        super().__init__(StartingValues(variables, starts.tables))

    def read(self, key: ResourceId) -> Any:
        import tensorflow as tf

        value = super().read(key)
        return tf.cast(value, self.narrow[key]) if key in self.narrow else value

    def assign(self, key: ResourceId, value: Any) -> None:
        import tensorflow as tf

        super().assign(
            key, tf.cast(value, CARRIERS[self.narrow[key]]) if key in self.narrow else value
        )


class Lowered:
    """The module, its concrete functions by signature key, and what tracing them showed.

    Attributes:
        unrolled: signature key -> turns of each loop that was unrolled.
        made: signature key -> what its TensorFlow operators became.

    Raises:
        UnsupportedError: operators have no lowering; the message lists them all and where.
    """

    def __init__(self, chosen: Chosen, starts: StartingValues, options: NoFlex) -> None:
        import tensorflow as tf

        self.unrolled: dict[str, tuple[int, ...]] = {}
        self.made: dict[str, list[Made]] = {}
        self._left: dict[tuple[str, str], list[str]] = {}
        self.chosen = chosen
        self.resources = Carried(starts, carry=not options.keep)
        self.module = tf.Module(name="lowered")
        self.module.weights = list(self.resources.variables.values())
        self.module.tables = list(self.resources.tables.values())
        self.functions: dict[str, Any] = {}
        for entry in chosen.plan.entries:
            self.functions[entry.key] = self._entry(entry, options)
        if self._left:
            raise refusal(self._left)
        if chosen.state:
            self.functions[GET] = self._get(chosen.state).get_concrete_function()
            self.functions[SET] = self._set(chosen.state).get_concrete_function()

    def _entry(self, entry: SignatureFunction, options: NoFlex) -> Any:
        import tensorflow as tf

        plan = self.chosen.plan
        if entry.key in options.keep:
            tracer = Tracer(plan, self.resources)
        else:
            tracer = LoweringTracer(plan, self.resources, entry.key)
        batch = options.batch if entry.key in self.chosen.flex else None
        subgraph = plan.model.subgraph(entry.function.subgraph)
        specs = []
        for name, index in zip(input_names(entry), entry.function.inputs, strict=True):
            tensor = subgraph.tensor(index)
            shape = [None if size < 0 else size for size in tensor.shape]
            if batch is not None and shape and shape[0] is None:
                shape[0] = batch
            specs.append(tf.TensorSpec(shape, dtype_of(tensor), name=name))

        def run(*inputs: Any) -> dict[str, Any]:
            results = tracer.run(entry.function, inputs)
            return dict(zip(entry.outputs, map(tf.convert_to_tensor, results), strict=True))

        # not an attribute of the module: each of those is traced once more when it is saved
        function = tf.function(run, input_signature=specs, autograph=False)
        try:
            concrete = function.get_concrete_function()
        except TflRepairError as error:
            if not getattr(tracer, "left", None):
                raise error.within(f"signature {entry.key}") from error.__cause__
            concrete = None  # what failed hangs on an operator that is refused anyway
        if isinstance(tracer, LoweringTracer):
            self._told(entry.key, tracer, concrete)
        return concrete

    def _told(self, key: str, tracer: LoweringTracer, concrete: Any) -> None:
        """Keep what tracing has shown."""
        left = dict(tracer.left)
        self.made[key] = tracer.made.rows
        if concrete is not None:
            variables = self.resources.variables
            changing = {id(variables[k].handle) for k in self.chosen.changing if k in variables}
            for row in without_builtin(tracer.made.rows, concrete.graph, changing):
                left.setdefault(row.site, (row.name, row.reason))
        for site, what in left.items():
            self._left.setdefault(what, []).append(place(site, key))
        if tracer.unrolled:
            self.unrolled[key] = tuple(tracer.unrolled.values())

    def _get(self, state: Mapping[str, ResourceId]) -> Any:
        import tensorflow as tf

        def get_weights() -> dict[str, Any]:
            variables = self.resources.variables
            return {name: variables[key].read_value() for name, key in state.items()}

        return tf.function(get_weights, input_signature=[], autograph=False)

    def _set(self, state: Mapping[str, ResourceId]) -> Any:
        import tensorflow as tf

        variables = [self.resources.variables[key] for key in state.values()]
        specs = [
            tf.TensorSpec(variable.shape, variable.dtype, name=f"arg_{number}")
            for number, variable in enumerate(variables)
        ]

        def set_weights(*values: Any) -> dict[str, Any]:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            return {DONE: tf.constant(1)}

        return tf.function(set_weights, input_signature=specs, autograph=False)

    def names(self) -> dict[str, tuple[dict[str, str], list[str], list[str]]]:
        """For ``rename_signatures``: what the converter must call inputs and outputs."""
        wanted = {
            entry.key: (
                dict(zip(input_names(entry), entry.inputs, strict=True)),
                list(entry.inputs),
                list(entry.outputs),
            )
            for entry in self.chosen.plan.entries
        }
        if self.chosen.state:
            names = list(self.chosen.state)
            wanted[GET] = ({}, [], names)
            wanted[SET] = ({f"arg_{n}": name for n, name in enumerate(names)}, names, [DONE])
        return wanted


def place(site: OperatorRef, key: str) -> str:
    """Where an operator of signature ``key`` stands."""
    return f"subgraph {site.subgraph}, operator {site.operator} ({key})"


def refusal(left: Mapping[tuple[str, str], list[str]]) -> InexpressibleError:
    """What stands at which places, by (operator, reason)."""
    rows = []
    for (name, reason), places in sorted(left.items()):
        more = f" and {grouped(len(places) - 3)} more" if len(places) > 3 else ""
        why = f": {reason}" if reason else ""
        where = f" at {'; '.join(places[:3])}{more}" if places else ""
        rows.append(f"{name}{where}{why}".replace("\n", "\\n"))  # a signature's name may have some
    return InexpressibleError(
        "these TensorFlow operators cannot be expressed in builtin ones:\n  " + "\n  ".join(rows),
        hint="keep the signature as it is with --keep-flex NAME, or write the model without them",
    )
