"""The constants that operators of a model use as kernels, whatever they are stored as.

A converter may store them in 16 bits (a DEQUANTIZE makes floats of them) or in integers with
scales; the layer whose kernel they are stands in a file of weights all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import permutations
from math import prod
from typing import Any

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Subgraph, Tensor
from tflrepair.views.tensors import quantization
from tflrepair.views.values import real
from tflrepair.weights.types.weight import Array

_OP = schema.BuiltinOperator
# Operators that use a layer's kernel as it was trained, and the input that takes it. Others (SUB in
# a penalty on the distance from a start, say) may hold values that a variable has as well.
_KERNELS = {
    _OP.FULLY_CONNECTED: 1,
    _OP.CONV_2D: 1,
    _OP.DEPTHWISE_CONV_2D: 1,
    _OP.TRANSPOSE_CONV: 1,
    _OP.CONV_3D: 1,
    _OP.BATCH_MATMUL: 1,
    _OP.GATHER: 0,
}
_UNPACKING = (_OP.DEQUANTIZE, _OP.DENSIFY)
_PIECE = 1 << 16  # values that are looked at at once
_LEAST_DISTINCT = 4  # zeros, ones and identities say nothing
_FLOATS = {"float32": "<f4", "float16": "<f2"}
_INTEGERS = ("int8", "uint8")
_MOST_AXES = 5
_HALF = 0.51  # of a scale: integers are rounded to the nearest


@dataclass(frozen=True)
class Kernel:
    """A constant that an operator uses as its kernel: where, element count and bytes.

    Attributes:
        dtype: ``float32``, ``float16``, ``int8``, ``uint8``; empty where the values are stored in
            another way, of which nothing but their count is known.
        scales: of integers, as ``views.tensors.quantization`` gives them.
    """

    subgraph: int
    count: int
    data: Callable[[], memoryview]
    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    scales: Mapping[str, Any] | None = None

    @property
    def is_float(self) -> bool:
        return self.dtype in _FLOATS

    def array(self) -> Array:
        """All values as they are stored, which may be gigabytes: read each time and not kept."""
        import numpy as np

        array: Array = np.frombuffer(self.data(), dtype=_FLOATS.get(self.dtype, self.dtype))
        return array

    @cached_property
    def digest(self) -> bytes:
        """See ``digest``; of floats only."""
        return digest(self.array(), self.dtype)

    @cached_property
    def proves(self) -> bool:
        """Whether the values are so many different ones that they say something."""
        import numpy as np

        if not self.dtype:
            return True
        found: set[float | None] = set()
        array = self.array()
        for start in range(0, self.count, _PIECE):
            some = np.unique(array[start : start + _PIECE])[: _LEAST_DISTINCT + 1].tolist()
            found.update(None if value != value else value for value in some)  # NaN is one value
            if len(found) >= _LEAST_DISTINCT:
                return True
        return False

    def stands_for(self, array: Array) -> bool:
        """Whether these integers are that array's values, rounded, in any order of its axes."""
        import numpy as np

        stored = self.array().reshape(self.shape)
        values = real(stored, self.scales)
        above = real(stored.astype("int32") + 1, self.scales)
        if values is None or above is None or array.ndim > _MOST_AXES:
            return False
        wanted, room = values.ravel(), np.abs(above - values).ravel() * _HALF
        for axes in permutations(range(array.ndim)):
            moved = array.transpose(axes)
            first = np.abs(moved.flat[:_PIECE] - wanted[:_PIECE]) <= room[:_PIECE]
            if first.all() and (np.abs(moved.ravel() - wanted) <= room).all():
                return True
        return False


def digest(array: Array, dtype: str) -> bytes:
    """The same for all orders of the values in that type; empty for values that prove nothing."""
    import numpy as np

    with np.errstate(over="ignore"):
        values = np.sort(array.astype(_FLOATS[dtype], copy=False), axis=None)
    if len(np.unique(values)) < _LEAST_DISTINCT:
        return b""
    return hashlib.sha256(values.tobytes()).digest()


def kernels_of(model: Model) -> tuple[Kernel, ...]:
    """The constant kernels of all subgraphs, each tensor once.

    Raises:
        BadFileError: the model is damaged.
    """
    return tuple(kernel for graph in model.subgraphs for kernel in _kernels(model, graph))


def _kernels(model: Model, graph: Subgraph) -> Iterator[Kernel]:
    packed = {
        out: op.inputs[0]
        for op in graph.operators
        if op.code in _UNPACKING and op.inputs
        for out in op.outputs
    }
    seen = set()
    for op in graph.operators:
        place = _KERNELS.get(op.code)
        if place is None or place >= len(op.inputs):
            continue
        index = op.inputs[place]
        for _ in _UNPACKING:  # one may make dense what the other one makes floats of
            index = packed.get(index, index)
        if index < 0 or index in seen:
            continue
        seen.add(index)
        tensor = graph.tensor(index)
        length = model.buffer(tensor.buffer).length
        if length and prod(tensor.shape):
            yield _kernel(model, graph, tensor, length)


def _kernel(model: Model, graph: Subgraph, tensor: Tensor, length: int) -> Kernel:
    count, dtype, scales = prod(tensor.shape), tensor.dtype, None
    size = {"float32": 4, "float16": 2}.get(dtype, 1)
    if dtype in _INTEGERS:
        scales = quantization(tensor)
    if length != size * count or (dtype not in _FLOATS and scales is None):
        dtype = ""
    data = partial(model.buffer_bytes, tensor.buffer)
    return Kernel(graph.index, count, data, dtype, tensor.shape, scales)
