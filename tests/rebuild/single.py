"""Models of one operator, built with the schema's object API, and how LiteRT runs them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as fb
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from build import Build, Sub

from tflrepair.graph.model import Model
from tflrepair.rebuild.emit.python_file import emit_python

KINDS = {"object": "STRING"}


@dataclass(frozen=True)
class Quant:
    scale: list[float]
    zero: list[int]
    axis: int = 0


@dataclass(frozen=True)
class Case:
    """One operator on certain inputs.

    Attributes:
        inputs: arrays, None for an optional input left out; those at ``fed`` are inputs of the
            model, the others constants. ``states`` are variable tensors.
        outputs: dtype of each output, or (dtype, shape) where the kernel needs the shape.
        quant: quantization of inputs (by position) and outputs (after them).
    """

    op: str
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    options: dict[str, Any] = field(default_factory=dict)
    fed: Sequence[int] = (0,)
    states: Sequence[int] = ()
    quant: dict[int, Quant] = field(default_factory=dict)
    open_dims: bool = False
    version: int = 1
    tolerance: float = 1e-5

    @property
    def feeds(self) -> list[Any]:
        return [self.inputs[i] for i in self.fed]


def strings(values: np.ndarray) -> bytes:
    """The bytes of a string tensor: count, offsets, text (tensorflow/lite/string_util.h)."""
    texts = [bytes(v) for v in values.reshape(-1)]
    start = 4 * (len(texts) + 2)
    offsets = np.cumsum([start, *map(len, texts)])
    return np.array([len(texts), *offsets], "<i4").tobytes() + b"".join(texts)


def options_of(fields: dict[str, Any]) -> Any:
    """``{"Conv2DOptions": {...}}`` as the options object; None for {}."""
    for member, values in fields.items():
        options = getattr(fb, member + "T")()
        for name, value in values.items():
            assert hasattr(options, name), (member, name)
            setattr(options, name, value)
        return options
    return None


def build(case: Case) -> bytes:
    """The model of ``case`` with the signature ``run``."""
    return build_all({"run": case})


def build_all(cases: Mapping[str, Case]) -> bytes:
    """A model with a signature for each case, by key."""
    model = Build()
    for key, case in cases.items():
        _add(model, key, case)
    return model.bytes()


def _add(model: Build, key: str, case: Case) -> None:
    """``open_dims`` leaves the first dimension of the inputs open."""
    sub = model.sub(key, key)
    indices = []
    for position, value in enumerate(case.inputs):
        if value is None:
            indices.append(-1)
            continue
        array = np.asarray(value)
        index = add_tensor(sub, array, position not in (*case.fed, *case.states))
        row = sub.table.tensors[index]
        row.isVariable = position in case.states
        if case.open_dims and position in case.fed and array.ndim:
            row.shapeSignature = [-1, *array.shape[1:]]
        _quantize(row, case.quant.get(position))
        indices.append(index)
    sub.table.inputs = [indices[i] for i in case.fed]
    for number, output in enumerate(case.outputs):
        dtype, shape = output if isinstance(output, tuple) else (output, ())
        index = sub.tensor(KINDS.get(dtype, dtype.upper()), shape)
        sub.table.tensors[index].hasRank = isinstance(output, tuple)
        _quantize(sub.table.tensors[index], case.quant.get(len(case.inputs) + number))
        sub.output(index)
    sub.op(case.op, indices, sub.table.outputs, options_of(case.options))
    model.model.operatorCodes[model.opcode(case.op)].version = case.version


def add_tensor(sub: Sub, array: Any, constant: bool = True) -> int:
    """A tensor like ``array``, with its value if it is to be a constant."""
    data = strings(array) if array.dtype == object else array.tobytes()
    kind = KINDS.get(array.dtype.name, array.dtype.name.upper())
    return sub.tensor(kind, array.shape, data if constant else b"")


def _quantize(tensor: Any, quant: Quant | None) -> None:
    if quant is not None:
        parameters = fb.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint = quant.scale, quant.zero
        parameters.quantizedDimension = quant.axis
        tensor.quantization = parameters


def litert(data: bytes, feeds: Sequence[Any], runs: int = 1, key: str = "run") -> list[Any]:
    """What the builtin kernels answer to signature ``key``, at the last of ``runs``."""
    interpreter = Interpreter(
        model_content=data,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    runner = interpreter.get_signature_runner(key)
    inputs = {f"in{n}": np.asarray(feed) for n, feed in enumerate(feeds)}
    for _ in range(runs):
        found = runner(**inputs)
    return [found[f"out{n}"] for n in range(len(found))]


def load_emitted(model: Model, values: Any, out: Path) -> Any:
    """The module of the Python file that ``emit_python`` writes."""
    emit_python(model, values, out)
    spec = importlib.util.spec_from_file_location("emitted", out)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
