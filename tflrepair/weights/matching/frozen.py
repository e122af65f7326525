"""Layers of a weights file whose values the model holds as constants.

A layer that was frozen before the conversion is no variable of the model, yet the weights file has
it beside others of its class and shape. Its kernel stands in the model bit for bit, in the layout
that the operator wants (CONV_2D's filter is OHWI, FULLY_CONNECTED's weights are transposed; see
tensorflow/compiler/mlir/lite/transforms/legalize_tf.cc), so the sorted values are compared.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Subgraph
from tflrepair.weights.types.layers import FileLayer
from tflrepair.weights.types.weight import Array

# Operators that use a layer's kernel as it was trained, and the input that takes it. Others (SUB in
# a penalty on the distance from a start, say) may hold values that a variable has as well.
_KERNELS = {
    schema.BuiltinOperator.FULLY_CONNECTED: 1,
    schema.BuiltinOperator.CONV_2D: 1,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 1,
    schema.BuiltinOperator.TRANSPOSE_CONV: 1,
    schema.BuiltinOperator.CONV_3D: 1,
    schema.BuiltinOperator.BATCH_MATMUL: 1,
    schema.BuiltinOperator.GATHER: 0,
}
_LEAST_DISTINCT = 4  # zeros, ones and identities say nothing


@dataclass(frozen=True)
class Kernel:
    """A float32 constant that an operator uses as its kernel: where, element count and bytes."""

    subgraph: int
    count: int
    data: memoryview


def kernels_of(model: Model) -> tuple[Kernel, ...]:
    """The constant kernels of all subgraphs, each tensor once.

    Raises:
        BadFileError: the model is damaged.
    """
    return tuple(kernel for graph in model.subgraphs for kernel in _kernels(model, graph))


def _kernels(model: Model, graph: Subgraph) -> Iterator[Kernel]:
    seen = set()
    for op in graph.operators:
        place = _KERNELS.get(op.code)
        if place is None or place >= len(op.inputs) or op.inputs[place] < 0:
            continue
        tensor = graph.tensor(op.inputs[place])
        if tensor.index in seen or tensor.dtype != "float32":
            continue
        seen.add(tensor.index)
        count, data = prod(tensor.shape), model.buffer_bytes(tensor.buffer)
        if count and len(data) == 4 * count:
            yield Kernel(graph.index, count, data)


def frozen(kernels: Sequence[Kernel], layers: Iterable[FileLayer]) -> set[int]:
    """``id`` of each layer of the file that the model holds as a constant.

    Where more layers of the file than constants of one subgraph have the same values, none is:
    the others may be variables.
    """
    sizes = {kernel.count for kernel in kernels}
    alike: dict[bytes, dict[int, FileLayer]] = {}
    for layer in layers if sizes else ():
        for weight in layer.weights:
            if weight.dtype == "float32" and len(weight.shape) > 1 and prod(weight.shape) in sizes:
                alike.setdefault(_digest(weight.read()), {})[id(layer)] = layer
    alike.pop(b"", None)
    if not alike:
        return set()
    held = Counter((_digest(_array(kernel)), kernel.subgraph) for kernel in kernels)
    most: Counter[bytes] = Counter()
    for (digest, _), count in held.items():
        most[digest] = max(most[digest], count)
    return {key for digest, group in alike.items() if len(group) <= most[digest] for key in group}


def _array(kernel: Kernel) -> Array:
    import numpy as np

    array: Array = np.frombuffer(kernel.data, dtype="<f4")
    return array


def _digest(array: Array) -> bytes:
    """The same for all orders of the values; empty for values that prove nothing."""
    import numpy as np

    values = np.sort(array.astype("<f4", copy=False), axis=None)
    if len(np.unique(values)) < _LEAST_DISTINCT:
        return b""
    return hashlib.sha256(values.tobytes()).digest()
