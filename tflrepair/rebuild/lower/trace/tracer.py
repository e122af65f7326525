"""Running a plan without raw TensorFlow operators: lowered, folded, unrolled.

Values go from step to step as tensors, as NumPy arrays where they are known and small, and as
``TensorList``. A step whose inputs are all known is computed at once, with TensorFlow's own
kernels, so the shapes of gradients become constants. A WHILE through which tensor lists run is
unrolled; its condition must then be known at every turn.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import UnsupportedError
from tflrepair.graph.location import OperatorRef
from tflrepair.rebuild.ir.steps import (
    Argument,
    CallStep,
    Compute,
    ConstantValue,
    Function,
    Handle,
    If,
    Local,
    Plan,
    Raw,
    While,
)
from tflrepair.rebuild.ir.tensor_facts import constant
from tflrepair.rebuild.lower.registry import lowerings, parameters
from tflrepair.rebuild.lower.tensors.lists import TensorList
from tflrepair.rebuild.lower.trace import probes
from tflrepair.rebuild.lower.trace.builtins import OVERRIDES
from tflrepair.rebuild.lower.trace.halves import has_half, narrow, wide, widened
from tflrepair.rebuild.lower.trace.kept import KEPT
from tflrepair.rebuild.lower.trace.origins import batch_of
from tflrepair.rebuild.lower.trace.probes import ARITHMETIC, Probed, Symbols
from tflrepair.rebuild.run.trace import Frame, Resources, Tracer, dequantized

SMALL = 4096  # elements up to which a known value is carried along
MOST_STEPS = 20_000  # that unrolled loops of one signature may become
_NEVER_FOLDED = ("RANDOM", "MULTINOMIAL", "BERNOULLI", "Random", "Rng", "TensorList", "Multinomial")


class Variable:
    """A resource variable as lowerings see it."""

    def __init__(self, resources: Resources, key: ResourceId) -> None:
        self._resources = resources
        self._key = key

    def read(self) -> Any:
        return self._resources.read(self._key)

    def assign(self, value: Any) -> None:
        self._resources.assign(self._key, value)


class LoweringTracer(Tracer):
    """Runs functions of ``plan`` in operators that have builtins.

    Attributes:
        left: operators without a lowering that were met, and where; the caller refuses them.
        unrolled: how many turns each unrolled loop has.
    """

    def __init__(self, plan: Plan, resources: Resources, label: str) -> None:
        super().__init__(plan, resources)
        self.left: dict[OperatorRef, str] = {}
        self.unrolled: dict[OperatorRef, int] = {}
        self._seed = zlib.crc32(label.encode()) & 0x3FFFFFFF
        self._steps = 0
        self.symbols = Symbols()
        self.origins: dict[int, tuple[Any, Any]] = {}  # id -> (the tensor, whose batch it has)
        self._constants: dict[tuple[int, int, int], tuple[Any, Any]] = {}

    def frame(self, function: Function, inputs: Sequence[Any]) -> Frame:
        return _Frame(self, function, inputs)

    def seed(self) -> int:
        """Another one at each call; its successor belongs to it, too."""
        self._seed += 2
        return self._seed

    def spend(self, steps: int, site: OperatorRef) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise UnsupportedError(
                f"unrolling its loops would make more than {MOST_STEPS} operators of this "
                "signature",
                where=f"subgraph {site.subgraph}, operator {site.operator}",
                hint="train on shorter sequences, or on fewer layers",
            )

    def constant(self, frame: Frame, tensor: int) -> Any:
        """A constant of the file as a tensor, once for each graph."""
        import tensorflow as tf

        graph = tf.compat.v1.get_default_graph()
        place = (id(graph), frame.subgraph.index, tensor)
        if place not in self._constants:
            value = tf.constant(constant(self.plan.model, frame.subgraph.tensor(tensor)))
            self._constants[place] = (graph, value)  # the graph must live as long as its number
        return self._constants[place][1]


class _Frame(Frame):
    tracer: LoweringTracer

    # -- values

    def kept(self, argument: Argument) -> Any:
        known = self.known(argument)
        if known is not None:
            return known
        if isinstance(argument, Local) and argument.quantization is None:
            return self.values[argument.tensor]
        return self.value(argument)

    def value(self, argument: Argument) -> Any:
        import tensorflow as tf

        if isinstance(argument, Local):
            value = self.values[argument.tensor]
            if isinstance(value, np.ndarray):
                return dequantized(tf.constant(value), argument.quantization)
            if isinstance(value, Probed):
                return value.packed()
        if isinstance(argument, ConstantValue):
            tensor = self.tracer.constant(self, argument.tensor)
            return dequantized(tensor, argument.quantization)
        return super().value(argument)

    def known(self, argument: Argument) -> np.ndarray[Any, Any] | None:
        """The value of a small argument that does not hang on any input."""
        if isinstance(argument, Local) and argument.quantization is None:
            value = self.values[argument.tensor]
            return value if isinstance(value, np.ndarray) else None
        if isinstance(argument, ConstantValue) and argument.quantization is None:
            row = self.subgraph.tensor(argument.tensor)
            if row.dtype == "string" or int(np.prod(row.shape)) > SMALL:
                return None
            return constant(self.tracer.plan.model, row)
        return None

    def store(self, tensor: int, value: Any) -> None:
        """Keep a result; where TensorFlow knows it already, as an array."""
        import tensorflow as tf

        if tf.is_tensor(value) and (value.dtype.is_integer or value.dtype.is_bool):
            sizes = value.shape.num_elements()
            if sizes is not None and sizes <= SMALL:
                static = tf.get_static_value(value)
                if static is not None:
                    value = np.asarray(static)
        self.values[tensor] = value

    def folded(self, name: str, run: Any, arguments: Sequence[Argument]) -> list[Any] | None:
        """The results of ``run`` on known arguments as arrays; None if they are not all known."""
        import tensorflow as tf

        if any(word in name for word in _NEVER_FOLDED):
            return None
        values = []
        for argument in arguments:
            value = None if argument is None else self.known(argument)
            if argument is not None and value is None:
                return None
            values.append(value)
        with tf.init_scope():
            tensors = [None if value is None else tf.constant(value) for value in values]
            try:
                results = tf.nest.flatten(run(tensors))
            except Exception:  # what fails now may never run
                return None
        if not all(
            tf.is_tensor(r) and hasattr(r, "numpy") and r.shape.num_elements() <= SMALL
            for r in results
        ):
            return None
        if any(r.dtype == tf.string for r in results):
            return None
        return [np.asarray(r.numpy()) for r in results]

    def trials(self, argument: Argument) -> np.ndarray[Any, Any] | None:
        """[TRIALS, *shape] of a small argument that hangs on nothing but open sizes."""
        if isinstance(argument, Local) and isinstance(self.values[argument.tensor], Probed):
            trials: np.ndarray[Any, Any] = self.values[argument.tensor].trials
            return trials
        known = self.known(argument)
        if known is None or known.dtype.kind not in "iub":
            return None
        return np.broadcast_to(known, (probes.TRIALS, *known.shape))

    def probed(self, name: str, run: Any, arguments: Sequence[Argument]) -> list[Any] | None:
        """[TRIALS, *shape] of each result of arithmetic on sizes; None if it is something else."""
        if name not in ARITHMETIC:
            return None
        trials = [None if argument is None else self.trials(argument) for argument in arguments]
        if any(t is None and a is not None for t, a in zip(trials, arguments, strict=True)):
            return None
        return probes.run(run, trials)

    def keep_probed(self, outputs: Sequence[int], found: Sequence[Any] | None) -> None:
        """Add what the trials tell to the results that are kept already."""
        import tensorflow as tf

        for tensor, trials in zip(outputs, found or (), strict=False):
            value = self.values[tensor]
            if not tf.is_tensor(value):
                continue
            row = Probed(value, trials.astype(value.dtype.as_numpy_dtype))
            self.values[tensor] = row.trials[0] if row.fixed.all() else row

    def sizes(self, step: Compute) -> list[Any] | None:
        """[TRIALS, rank] of the only result of SHAPE."""
        x: Any = self.value(step.arguments[0])
        if x.shape.rank is None:
            return None
        columns = []
        for axis, size in enumerate(x.shape):
            origin = self.origin(x) if axis == 0 else x
            fixed = np.full(probes.TRIALS, size or 0)
            columns.append(self.tracer.symbols.sizes(origin, axis) if size is None else fixed)
        return [np.stack(columns, -1)] if columns else None

    def origin(self, x: Any) -> Any:
        """The tensor that the open first size of ``x`` comes from."""
        return self.tracer.origins.get(id(x), (x, x))[1]

    def trace_batch(self, name: str, arguments: Sequence[Argument], output: int) -> None:
        """Note where the first size of the result comes from."""
        import tensorflow as tf

        result: Any = self.values.get(output)
        if not tf.is_tensor(result) or not result.shape.rank or result.shape[0] is not None:
            return
        flat = [a for a in arguments if a is not None]
        if not flat or any(isinstance(a, Handle) for a in flat):
            return
        inputs: list[Any] = [self.value(argument) for argument in flat]
        if not all(map(tf.is_tensor, inputs)):
            return
        found = batch_of(name, inputs, [self.origin(x) for x in inputs], result.shape.rank)
        if found is not None:
            self.tracer.origins[id(result)] = (result, found)

    # -- steps

    def compute(self, step: Compute) -> None:
        builtin = step.builtin
        function = OVERRIDES.get(builtin.name, builtin.function)
        outputs = [output.tensor for output in step.outputs]
        plain = not builtin.states and not any(o.quantization for o in step.outputs)

        def run(values: Sequence[Any]) -> Any:
            return function(*values, **step.options)

        if plain and step.arguments and not _grows(builtin.name, self, step):
            found = self.folded(builtin.name, run, step.arguments)
            if found is not None:
                self.keep(outputs, found)
                return
        if builtin.name == "RESHAPE" and plain and (shape := self.shape_argument(step)):
            self.store(outputs[0], function(self.value(step.arguments[0]), shape))
        elif builtin.name in OVERRIDES and plain:
            self.store(outputs[0], function(*self.all(step.arguments), **step.options))
        else:
            super().compute(step)
            for tensor in outputs:
                self.store(tensor, self.values[tensor])
        if builtin.name == "SHAPE":
            self.keep_probed(outputs, self.sizes(step))
        elif plain:
            self.keep_probed(outputs, self.probed(builtin.name, run, step.arguments))
            self.trace_batch(builtin.name, step.arguments, outputs[0])

    def shape_argument(self, step: Compute) -> list[int] | None:
        """What RESHAPE is told, with -1 for the one size that is open."""
        if len(step.arguments) < 2 or not isinstance(step.arguments[1], Local):
            return None
        value = self.values[step.arguments[1].tensor]
        return value.as_shape() if isinstance(value, Probed) else None

    def raw(self, step: Raw) -> None:
        flat = [a for v in step.arguments.values() for a in (v if isinstance(v, tuple) else (v,))]
        plain = bool(flat) and not any(isinstance(a, Handle) for a in flat)

        def run(values: Sequence[Any]) -> Any:
            return _raw(step, values)

        if plain:
            found = self.folded(step.name, run, flat)
            if found is not None and len(found) == len(step.outputs):
                self.keep(step.outputs, found)
                return
        results = self.lowered(step)
        if step.outputs:
            for tensor, value in zip(step.outputs, _flat(results), strict=True):
                self.store(tensor, value)
        if plain and step.outputs:
            self.keep_probed(step.outputs, self.probed(step.name, run, flat))
            self.trace_batch(step.name, flat, step.outputs[0])

    def lowered(self, step: Raw) -> Any:
        inputs = {
            name: [self.input(item) for item in argument]
            if isinstance(argument, tuple)
            else self.input(argument)
            for name, argument in step.arguments.items()
        }
        if step.name == "Cast" or not any(map(has_half, inputs.values())):
            return self.called(step, inputs, step.attributes)
        inputs = {name: wide(value) for name, value in inputs.items()}
        results = _flat(self.called(step, inputs, widened(step.attributes)))
        kinds = [self.subgraph.tensor(tensor).dtype for tensor in step.outputs]
        return [narrow(value, kind) for value, kind in zip(results, kinds, strict=False)]

    def called(self, step: Raw, inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
        import tensorflow as tf

        function = lowerings().get(step.name)
        if function is not None:
            taken = parameters(function)
            values = {k: v for k, v in {**attributes, **inputs}.items() if k in taken}
            if "seed_of_site" in taken:
                values["seed_of_site"] = self.tracer.seed()
            if "trials" in taken:
                values["trials"] = [
                    None if isinstance(argument, tuple) else self.trials(argument)
                    for argument in step.arguments.values()
                ]
            return function(**values)
        if step.name not in KEPT:
            self.tracer.left[step.site] = step.name
            inputs = {k: _real(v) for k, v in inputs.items()}
        return getattr(tf.raw_ops, step.name)(**inputs, **attributes)

    def input(self, argument: Argument) -> Any:
        if isinstance(argument, Handle):
            return Variable(self.tracer.resources, argument.key)
        if isinstance(argument, Local) and isinstance(self.values[argument.tensor], TensorList):
            return self.values[argument.tensor]
        return self.value(argument)

    def call(self, step: CallStep) -> None:
        arguments = [self.kept(argument) for argument in step.arguments]
        self.keep(step.outputs, self.tracer.call(step.function, arguments))

    def if_(self, step: If) -> None:
        condition = self.known(step.condition)
        if condition is None:
            super().if_(step)
            return
        chosen = step.then if condition.reshape(-1)[0] else step.otherwise
        arguments = [self.kept(argument) for argument in step.arguments]
        self.keep(step.outputs, self.tracer.call(chosen, arguments))

    def while_(self, step: While) -> None:
        values = [self.kept(argument) for argument in step.arguments]
        if not any(isinstance(value, TensorList) for value in values):
            super().while_(step)
            return
        turns = 0
        while self.goes_on(step, values):
            turns += 1
            self.tracer.spend(len(self.tracer.plan.functions[step.body].steps), step.site)
            values = self.tracer.call(step.body, values)
        self.tracer.unrolled[step.site] = turns
        self.keep(step.outputs, values)

    def goes_on(self, step: While, values: Sequence[Any]) -> bool:
        (test,) = self.tracer.call(step.condition, values)
        if not isinstance(test, np.ndarray):
            raise UnsupportedError(
                "how often this loop over tensor lists runs is only known at run time",
                where=f"subgraph {step.site.subgraph}, operator {step.site.operator} (WHILE)",
                hint="fix the length of the sequences, and the batch with --batch N",
            )
        return bool(test.reshape(-1)[0])


def _grows(name: str, frame: _Frame, step: Compute) -> bool:
    """Whether the result of known inputs may be too large to be computed now."""
    if name not in ("FILL", "BROADCAST_TO", "TILE", "RANGE", "ONE_HOT"):
        return False
    values = [None if a is None else frame.known(a) for a in step.arguments]
    if any(value is None for value in values):
        return True
    sizes = [np.asarray(value, np.float64) for value in values]
    if name == "RANGE":
        start, limit, delta = (float(size.reshape(-1)[0]) for size in sizes[:3])
        return not delta or abs((limit - start) / delta) > SMALL
    if name == "FILL":
        return float(np.prod(sizes[0])) > SMALL
    if name == "BROADCAST_TO":
        return float(np.prod(sizes[1])) > SMALL
    return float(sizes[0].size * np.prod(sizes[1])) > SMALL


def _flat(results: Any) -> list[Any]:
    return list(results) if isinstance(results, list | tuple) else [results]


def _real(value: Any) -> Any:
    if isinstance(value, Variable):
        raise UnsupportedError("an operator without a lowering uses a variable")
    return value


def _raw(step: Raw, values: Sequence[Any]) -> Any:
    """The operator itself on the values of its arguments, in their order."""
    import tensorflow as tf

    rest = iter(values)
    inputs = {
        name: [next(rest) for _ in argument] if isinstance(argument, tuple) else next(rest)
        for name, argument in step.arguments.items()
    }
    return getattr(tf.raw_ops, step.name)(**inputs, **step.attributes)
