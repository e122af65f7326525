"""Running a plan's functions with TensorFlow: eagerly, or while a tf.function is traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import TflRepairError, UnsupportedError
from tflrepair.rebuild.ir.steps import (
    Argument,
    Assign,
    CallStep,
    Compute,
    Find,
    Function,
    FunctionId,
    Handle,
    If,
    Import,
    Local,
    Output,
    Plan,
    Raw,
    Read,
    Size,
    While,
)
from tflrepair.rebuild.ir.tensor_facts import Quantization, constant


class Resources(Protocol):
    """Where variables and tables live. Values are tensors."""

    def read(self, key: ResourceId) -> Any: ...
    def assign(self, key: ResourceId, value: Any) -> None: ...
    def handle(self, key: ResourceId) -> Any: ...
    def fill(self, key: ResourceId, keys: Any, values: Any) -> None: ...
    def table(self, key: ResourceId) -> Any: ...


class Tracer:
    """Runs functions of ``plan`` over ``resources``."""

    def __init__(self, plan: Plan, resources: Resources) -> None:
        self.plan = plan
        self.resources = resources

    def frame(self, function: Function, inputs: Sequence[Any]) -> Frame:
        """What runs the steps of one call."""
        return Frame(self, function, inputs)

    def call(self, identity: FunctionId, inputs: Sequence[Any]) -> list[Any]:
        return self.run(self.plan.functions[identity], inputs)

    def run(self, function: Function, inputs: Sequence[Any]) -> list[Any]:
        """The outputs of ``function``.

        Raises:
            UnsupportedError: TensorFlow refuses an operator that TFLite might run; it says where.
        """
        frame = self.frame(function, inputs)
        for step in function.steps:
            try:
                getattr(frame, _RUN[type(step)])(step)
            except TflRepairError:
                raise
            except Exception as error:  # whatever TensorFlow raises for a node it does not like
                subgraph = self.plan.model.subgraph(step.site.subgraph)
                name = subgraph.operators[step.site.operator].name
                raise UnsupportedError(
                    f"TensorFlow does not take this operator: {_first_line(error)}",
                    where=f"subgraph {subgraph.index}, operator {step.site.operator} ({name})",
                ) from error
        return [frame.kept(output) for output in function.outputs]


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


class Frame:
    """One run of one function: the values of its subgraph's tensors."""

    def __init__(self, tracer: Tracer, function: Function, inputs: Sequence[Any]) -> None:
        self.tracer = tracer
        self.subgraph = tracer.plan.model.subgraph(function.subgraph)
        self.values = dict(zip(function.inputs, inputs, strict=True))

    def kept(self, argument: Argument) -> Any:
        """The value as it is handed from function to function."""
        return self.value(argument)

    def value(self, argument: Argument) -> Any:
        """The value as a tensor."""
        import tensorflow as tf

        if argument is None:
            return None
        if isinstance(argument, Handle):
            return self.tracer.resources.handle(argument.key)
        if isinstance(argument, Local):
            value = self.values[argument.tensor]
        else:
            row = self.subgraph.tensor(argument.tensor)
            value = tf.constant(constant(self.tracer.plan.model, row))
        return dequantized(value, argument.quantization)

    def all(self, arguments: Sequence[Argument]) -> list[Any]:
        return [self.value(argument) for argument in arguments]

    def keep(self, outputs: Sequence[int], values: Sequence[Any]) -> None:
        self.values.update(zip(outputs, values, strict=True))

    def compute(self, step: Compute) -> None:
        from tflrepair.rebuild.ops.quant import quantize

        result = step.builtin.function(*self.all(step.arguments), **step.options)
        results = result if isinstance(result, tuple) else (result,)
        for output, value in zip(step.outputs, results, strict=True):
            if output.quantization is not None:
                value = quantize(value, *quantize_arguments(output))
            self.values[output.tensor] = value

    def raw(self, step: Raw) -> None:
        import tensorflow as tf

        inputs = {
            name: self.all(argument) if isinstance(argument, tuple) else self.value(argument)
            for name, argument in step.arguments.items()
        }
        result = getattr(tf.raw_ops, step.name)(**inputs, **step.attributes)
        if step.outputs:
            self.keep(step.outputs, tf.nest.flatten(result))

    def read(self, step: Read) -> None:
        self.values[step.output] = self.tracer.resources.read(step.key)

    def assign(self, step: Assign) -> None:
        self.tracer.resources.assign(step.key, self.value(step.value))

    def fill(self, step: Import) -> None:
        self.tracer.resources.fill(step.key, self.value(step.keys), self.value(step.values))

    def find(self, step: Find) -> None:
        import tensorflow as tf

        table = self.tracer.resources.table(step.key)
        default = tf.reshape(self.value(step.default), [])
        self.values[step.output] = tf.raw_ops.LookupTableFindV2(
            table_handle=table.resource_handle, keys=self.value(step.keys), default_value=default
        )

    def size(self, step: Size) -> None:
        import tensorflow as tf

        size = self.tracer.resources.table(step.key).size()
        self.values[step.output] = tf.reshape(size, [1])

    def call(self, step: CallStep) -> None:
        self.keep(step.outputs, self.tracer.call(step.function, self.all(step.arguments)))

    def if_(self, step: If) -> None:
        import tensorflow as tf

        arguments = self.all(step.arguments)
        result = tf.cond(
            tf.reshape(self.value(step.condition), []),
            lambda: self.tracer.call(step.then, arguments),
            lambda: self.tracer.call(step.otherwise, arguments),
        )
        self.keep(step.outputs, tf.nest.flatten(result))

    def while_(self, step: While) -> None:
        import tensorflow as tf

        from tflrepair.rebuild.ops.common import loop

        result = loop(
            lambda *now: self.tracer.call(step.condition, now),
            lambda *now: self.tracer.call(step.body, now),
            self.all(step.arguments),
            [list(shape) for shape in step.shapes],
        )
        self.keep(step.outputs, tf.nest.flatten(result))


def quantize_arguments(output: Output) -> tuple[list[float], list[int], str, int]:
    """What ``quantize`` needs beside the value."""
    assert output.quantization is not None
    q = output.quantization
    return list(q.scale), list(q.zero_point), output.dtype, q.axis


def dequantized(value: Any, quantization: Quantization | None) -> Any:
    if quantization is None:
        return value
    from tflrepair.rebuild.ops.quant import dequantize

    return dequantize(
        value, list(quantization.scale), list(quantization.zero_point), quantization.axis
    )


_RUN: dict[type, str] = {
    Compute: "compute",
    Raw: "raw",
    Read: "read",
    Assign: "assign",
    Import: "fill",
    Find: "find",
    Size: "size",
    CallStep: "call",
    If: "if_",
    While: "while_",
}
