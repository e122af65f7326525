"""One line of Python for each step of a plan's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.rebuild.ir.python_names import reserved, tensor_name, unique
from tflrepair.rebuild.ir.steps import (
    Argument,
    Assign,
    CallStep,
    Compute,
    ConstantValue,
    Find,
    Function,
    FunctionId,
    Handle,
    If,
    Import,
    Output,
    Plan,
    Raw,
    Read,
    Size,
    While,
)
from tflrepair.rebuild.ir.tensor_facts import Quantization, constant

if TYPE_CHECKING:
    import numpy.typing as npt

_INLINE = 16


class Weights:
    """Arrays that go beside the file, and how the file's text gets at them."""

    def __init__(self) -> None:
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self._placed: dict[tuple[str, bytes, tuple[int, ...]], str] = {}

    def text(self, name: str, value: npt.NDArray[Any]) -> str:
        """``value`` as an expression: small ones literally, others from the .npz."""
        if value.dtype == object:
            return f"tf.constant({value.tolist()!r}, tf.string, shape={list(value.shape)})"
        if value.size <= _INLINE and _is_literal(value):
            shape = "" if value.size else f", shape={list(value.shape)}"
            return f"tf.constant({_plain(value)!r}, tf.{value.dtype.name}{shape})"
        return f"tf.constant({self.stored(name, value)})"

    def stored(self, name: str, value: npt.NDArray[Any]) -> str:
        """``value`` as an expression that reads it from the .npz.

        A constant that several subgraphs share is stored once.
        """
        identity = (name, value.tobytes(), value.shape)
        place = self._placed.get(identity)
        if place is None:
            (place,) = unique([name], self.arrays)
            self._placed[identity] = place
            # .npz knows NumPy's own types only
            self.arrays[place] = value.view("uint16") if _is_bfloat16(value) else value
        text = f'WEIGHTS["{place}"]'
        return f"{text}.view(tf.bfloat16.as_numpy_dtype)" if _is_bfloat16(value) else text


def _is_bfloat16(value: npt.NDArray[Any]) -> bool:
    return value.dtype.name == "bfloat16"


def _is_literal(value: npt.NDArray[Any]) -> bool:
    import numpy as np

    return value.dtype.kind in "biu" or (
        value.dtype.name in ("float32", "float64") and bool(np.isfinite(value).all())
    )


def _plain(value: npt.NDArray[Any]) -> Any:
    """``value`` as a number or nested lists, floats as short as they can be."""
    import numpy as np

    if value.dtype.name != "float32":
        return value.tolist()
    short = [float(str(number)) for number in value.reshape(-1)]
    same = bool((np.array(short, np.float32) == value.reshape(-1)).all())
    return np.array(short if same else value, np.float64).reshape(value.shape).tolist()


class Writer:
    """Writes the functions of ``plan`` as methods' bodies."""

    def __init__(
        self,
        plan: Plan,
        weights: Weights,
        attributes: Mapping[ResourceId, str],
        methods: Mapping[FunctionId, str],
    ) -> None:
        self.plan = plan
        self.weights = weights
        self.attributes = attributes
        self.methods = methods
        self.used: dict[str, Callable[..., Any]] = {}

    def body(self, function: Function, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
        """The lines of ``function`` with its inputs called ``inputs``, and its outputs."""
        scope = _Scope(self, function, inputs)
        lines = [_WRITE[type(step)](scope, step) for step in function.steps]
        return lines, [scope.text(output) for output in function.outputs]

    def use(self, function: Callable[..., Any]) -> str:
        self.used[function.__name__] = function
        return function.__name__


class _Scope:
    """The local names of one method."""

    def __init__(self, writer: Writer, function: Function, inputs: Sequence[str]) -> None:
        self.writer = writer
        self.subgraph = writer.plan.model.subgraph(function.subgraph)
        self.names = dict(zip(function.inputs, inputs, strict=True))
        self.taken = {*reserved(), *inputs}
        self.counts: dict[str, int] = {}

    # -- names and values

    def new(self, tensor: int, name: str = "") -> str:
        """A fresh local name for ``tensor``, like ``name`` or the name that it has in the file."""
        if not name:
            inside = 0 <= tensor < self.subgraph.tensor_count
            name = tensor_name(self.subgraph.tensor(tensor).name) if inside else "state"
        candidate = name
        while candidate in self.taken:
            self.counts[name] = self.counts.get(name, 0) + 1
            candidate = f"{name}_{self.counts[name]}"
        self.taken.add(candidate)
        self.names[tensor] = candidate
        return candidate

    def text(self, argument: Argument) -> str:
        if argument is None:
            return "None"
        if isinstance(argument, Handle):
            return f"self.{self.writer.attributes[argument.key]}.handle"
        if isinstance(argument, ConstantValue):
            row = self.subgraph.tensor(argument.tensor)
            value = constant(self.writer.plan.model, row)
            assert value is not None
            text = self.writer.weights.text(tensor_name(row.name), value)
        else:
            text = self.names[argument.tensor]
        return self.dequantized(text, argument.quantization)

    def dequantized(self, text: str, quantization: Quantization | None) -> str:
        from tflrepair.rebuild.ops.quant import dequantize

        if quantization is None:
            return text
        scale, zeros = self.steps_of(quantization)
        axis = f", axis={quantization.axis}" if quantization.axis else ""
        return f"{self.writer.use(dequantize)}({text}, {scale}, {zeros}{axis})"

    def quantized(self, text: str, output: Output) -> str:
        from tflrepair.rebuild.ops.quant import quantize

        if output.quantization is None:
            return text
        scale, zeros = self.steps_of(output.quantization)
        axis = f", axis={output.quantization.axis}" if output.quantization.axis else ""
        return f'{self.writer.use(quantize)}({text}, {scale}, {zeros}, "{output.dtype}"{axis})'

    def steps_of(self, quantization: Quantization) -> tuple[str, str]:
        import numpy as np

        texts = []
        for name, values in (("scale", quantization.scale), ("zero", quantization.zero_point)):
            literal = len(values) <= _INLINE and all(np.isfinite(values))
            array = np.asarray(values)
            texts.append(repr(list(values)) if literal else self.writer.weights.stored(name, array))
        return texts[0], texts[1]

    def several(self, arguments: Sequence[Argument]) -> str:
        return ", ".join(self.text(argument) for argument in arguments)

    def targets(self, outputs: Sequence[int]) -> str:
        return ", ".join(self.new(tensor) for tensor in outputs)

    def unpack(self, outputs: Sequence[int], call: str) -> str:
        """``call`` returns a nest of tensors; give each its name."""
        names = self.targets(outputs)
        if not outputs:
            return call
        return (
            f"{names} = tf.nest.flatten({call})"
            if len(outputs) > 1
            else (f"({names},) = tf.nest.flatten({call})")
        )

    # -- one for each kind of step

    def compute(self, step: Compute) -> str:
        keywords = step.builtin.keywords
        arguments = [self.text(argument) for argument in step.arguments]
        while arguments and arguments[-1] == "None":
            arguments.pop()
        arguments += [
            f"{name}={value!r}" for name, value in step.options.items() if keywords[name] != value
        ]
        call = f"{self.writer.use(step.builtin.function)}({', '.join(arguments)})"
        if len(step.outputs) == 1:
            call = self.quantized(call, step.outputs[0])
            return f"{self.new(step.outputs[0].tensor)} = {call}"
        line = f"{self.targets([output.tensor for output in step.outputs])} = {call}"
        for output in step.outputs:
            if output.quantization is not None:
                name = self.names[output.tensor]
                line += f"; {name} = {self.quantized(name, output)}"
        return line

    def raw(self, step: Raw) -> str:
        arguments = [
            f"{name}=[{self.several(value)}]"
            if isinstance(value, tuple)
            else f"{name}={self.text(value)}"
            for name, value in step.arguments.items()
        ]
        arguments += [f"{name}={value!r}" for name, value in step.attributes.items()]
        call = f"tf.raw_ops.{step.name}({', '.join(arguments)})"
        if step.listed or not step.outputs:
            return self.unpack(step.outputs, call)
        return f"{self.new(step.outputs[0])} = {call}"

    def read(self, step: Read) -> str:
        attribute = self.writer.attributes[step.key]
        return f"{self.new(step.output, attribute)} = self.{attribute}.read_value()"

    def assign(self, step: Assign) -> str:
        return f"self.{self.writer.attributes[step.key]}.assign({self.text(step.value)})"

    def fill(self, step: Import) -> str:
        return f"# self.{self.writer.attributes[step.key]} is filled in __init__"

    def find(self, step: Find) -> str:
        table = f"self.{self.writer.attributes[step.key]}.resource_handle"
        keys, default = self.text(step.keys), f"tf.reshape({self.text(step.default)}, [])"
        return (
            f"{self.new(step.output)} = tf.raw_ops.LookupTableFindV2("
            f"table_handle={table}, keys={keys}, default_value={default})"
        )

    def size(self, step: Size) -> str:
        attribute = self.writer.attributes[step.key]
        return f"{self.new(step.output)} = tf.reshape(self.{attribute}.size(), [1])"

    def call(self, step: CallStep) -> str:
        inner = f"self.{self.writer.methods[step.function]}({self.several(step.arguments)})"
        return self.unpack(step.outputs, inner)

    def if_(self, step: If) -> str:
        inputs = self.several(step.arguments)
        branches = ", ".join(
            f"lambda: self.{self.writer.methods[branch]}({inputs})"
            for branch in (step.then, step.otherwise)
        )
        condition = f"tf.reshape({self.text(step.condition)}, [])"
        return self.unpack(step.outputs, f"tf.cond({condition}, {branches})")

    def while_(self, step: While) -> str:
        from tflrepair.rebuild.ops.common import loop

        condition, body = (
            f"self.{self.writer.methods[function]}" for function in (step.condition, step.body)
        )
        shapes = [list(shape) for shape in step.shapes]
        call = (
            f"{self.writer.use(loop)}({condition}, {body}, "
            f"[{self.several(step.arguments)}], {shapes})"
        )
        return self.unpack(step.outputs, call)


_WRITE: dict[type, Callable[[_Scope, Any], str]] = {
    Compute: _Scope.compute,
    Raw: _Scope.raw,
    Read: _Scope.read,
    Assign: _Scope.assign,
    Import: _Scope.fill,
    Find: _Scope.find,
    Size: _Scope.size,
    CallStep: _Scope.call,
    If: _Scope.if_,
    While: _Scope.while_,
}
