"""Layers of a weights file whose values the model holds as constants.

A layer that was frozen before the conversion is no variable of the model, yet the weights file has
it beside others of its class and shape. Its kernel stands in the model bit for bit, in the layout
that the operator wants (CONV_2D's filter is OHWI, FULLY_CONNECTED's weights are transposed; see
tensorflow/compiler/mlir/lite/transforms/legalize_tf.cc), so the sorted values are compared.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
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
_PIECE = 1 << 16  # values that are looked at at once
_LEAST_DISTINCT = 4  # zeros, ones and identities say nothing


@dataclass(frozen=True)
class Kernel:
    """A float32 constant that an operator uses as its kernel: where, element count and bytes."""

    subgraph: int
    count: int
    data: Callable[[], memoryview]

    def array(self) -> Array:
        """All values, which may be gigabytes: they are read each time and not kept."""
        import numpy as np

        array: Array = np.frombuffer(self.data(), dtype="<f4")
        return array

    @cached_property
    def digest(self) -> bytes:
        """See ``_digest``."""
        return _digest(self.array())

    @cached_property
    def proves(self) -> bool:
        """Whether the values are so many different ones that a digest of them says something."""
        import numpy as np

        found: set[float | None] = set()
        array = self.array()
        for start in range(0, self.count, _PIECE):
            some = np.unique(array[start : start + _PIECE])[: _LEAST_DISTINCT + 1].tolist()
            found.update(None if value != value else value for value in some)  # NaN is one value
            if len(found) >= _LEAST_DISTINCT:
                return True
        return False


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
        count = prod(tensor.shape)
        if count and model.buffer(tensor.buffer).length == 4 * count:
            yield Kernel(graph.index, count, partial(model.buffer_bytes, tensor.buffer))


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
    counts = {
        prod(weight.shape)
        for group in alike.values()
        for layer in group.values()
        for weight in layer.weights
    }
    held = Counter((k.digest, k.subgraph) for k in kernels if k.count in counts)
    most: Counter[bytes] = Counter()
    for (digest, _), count in held.items():
        most[digest] = max(most[digest], count)
    return {key for digest, group in alike.items() if len(group) <= most[digest] for key in group}


def strangers(kernels: Sequence[Kernel], layers: Iterable[FileLayer]) -> frozenset[int]:
    """Element counts of the constant kernels that are no array of the file.

    Such a kernel belongs to a layer that the file lacks, or something was folded into it.
    """
    sizes = {kernel.count for kernel in kernels}
    known: dict[int, set[bytes]] = {}
    for layer in layers:
        for weight in layer.weights:
            count = prod(weight.shape)
            if weight.dtype == "float32" and count in sizes:
                known.setdefault(count, set()).add(_digest(weight.read()))
    return frozenset(kernel.count for kernel in kernels if _is_strange(kernel, known))


def _is_strange(kernel: Kernel, known: Mapping[int, set[bytes]]) -> bool:
    if kernel.count not in known:  # then its values need not be sorted
        return kernel.proves
    return bool(kernel.digest) and kernel.digest not in known[kernel.count]


def _digest(array: Array) -> bytes:
    """The same for all orders of the values; empty for values that prove nothing."""
    import numpy as np

    values = np.sort(array.astype("<f4", copy=False), axis=None)
    if len(np.unique(values)) < _LEAST_DISTINCT:
        return b""
    return hashlib.sha256(values.tobytes()).digest()
