"""Running a plan without raw TensorFlow operators: lowered, folded, unrolled.

Values go from step to step as tensors, as NumPy arrays where they are known and small, and as
``TensorList``. A step whose inputs are all known is computed at once, with TensorFlow's own
kernels, so the shapes of gradients become constants. A WHILE through which tensor lists run is
unrolled; its condition must then be known at every turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.ir.steps import (
    Argument,
    CallStep,
    Compute,
    Function,
    Handle,
    If,
    Local,
    Raw,
    While,
)
from tflrepair.rebuild.lower.registry import lowerings, parameters
from tflrepair.rebuild.lower.tensors.lists import TensorList
from tflrepair.rebuild.lower.trace import unsigned
from tflrepair.rebuild.lower.trace.builtins import OVERRIDES
from tflrepair.rebuild.lower.trace.halves import has_half, narrow, wide, widened
from tflrepair.rebuild.lower.trace.kept import KEPT
from tflrepair.rebuild.lower.trace.probes import Probed
from tflrepair.rebuild.lower.trace.state import LoweringState, Variable
from tflrepair.rebuild.lower.trace.values import SMALL, ValueFrame
from tflrepair.rebuild.run.trace import Frame


class LoweringTracer(LoweringState):
    """Runs functions of ``plan`` in operators that have builtins."""

    def frame(self, function: Function, inputs: Sequence[Any]) -> Frame:
        return _Frame(self, function, inputs)


class _Frame(ValueFrame):
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
        if (results := unsigned.computed(step.name, inputs, step.attributes)) is not None:
            self.tracer.made.note(step.site, step.name, list(inputs.values()), results)
            return results
        if step.name == "Cast" or not any(map(has_half, inputs.values())):
            results = self.called(step, inputs, step.attributes)
            self.tracer.made.note(step.site, step.name, list(inputs.values()), results)
            return results
        inputs = {name: wide(value) for name, value in inputs.items()}
        results = _flat(self.called(step, inputs, widened(step.attributes)))
        self.tracer.made.note(step.site, step.name, list(inputs.values()), results)
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
            try:
                return function(**values)
            except UnsupportedError as error:
                reason = f"{error.message}; {error.hint}" if error.hint else error.message
                self.tracer.left[step.site] = (step.name, reason)
        elif step.name not in KEPT:
            self.tracer.left[step.site] = (step.name, "")
        if step.site in self.tracer.left:  # refused in the end; go on to find what else is
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
