"""Layers of a weights file whose values the model holds as constants.

A layer that was frozen before the conversion is no variable of the model, yet the weights file has
it beside others of its class and shape. Its kernel stands in the model, in the layout that the
operator wants (CONV_2D's filter is OHWI, FULLY_CONNECTED's weights are transposed; see
tensorflow/compiler/mlir/lite/transforms/legalize_tf.cc): bit for bit, so the sorted values are
compared; rounded to 16 bits, as the file's values are then, too; or in integers, which are compared
with them in all orders of the axes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import prod

from tflrepair.weights.model_facts.kernels import Kernel, digest
from tflrepair.weights.types.layers import FileLayer
from tflrepair.weights.types.weight import Weight


def frozen(kernels: Sequence[Kernel], layers: Iterable[FileLayer]) -> set[int]:
    """``id`` of each layer of the file that the model holds as a constant.

    Where more layers of the file than constants of one subgraph have the same values, none is:
    the others may be variables.
    """
    listed = list(layers)
    by_type: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        by_type.setdefault(kernel.dtype if kernel.is_float else "", []).append(kernel)
    integers = [kernel for kernel in by_type.pop("", []) if kernel.dtype and kernel.proves]
    found = _rounded(integers, listed)
    for dtype, group in by_type.items():
        found |= _same(group, listed, dtype)
    return found


def _compared(weight: Weight, sizes: Iterable[int]) -> bool:
    return weight.dtype == "float32" and len(weight.shape) > 1 and prod(weight.shape) in sizes


def _same(kernels: Sequence[Kernel], layers: Sequence[FileLayer], dtype: str) -> set[int]:
    sizes = {kernel.count for kernel in kernels}
    alike: dict[bytes, dict[int, FileLayer]] = {}
    for layer in layers:
        for weight in layer.weights:
            if _compared(weight, sizes):
                alike.setdefault(digest(weight.read(), dtype), {})[id(layer)] = layer
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
    for (key, _), count in held.items():
        most[key] = max(most[key], count)
    return {key for value, group in alike.items() if len(group) <= most[value] for key in group}


def _rounded(kernels: Sequence[Kernel], layers: Sequence[FileLayer]) -> set[int]:
    """The same for integers, whose rounding allows several arrays."""
    held: Counter[tuple[frozenset[int], int]] = Counter()
    for kernel in kernels:
        near = frozenset(
            id(layer)
            for layer in layers
            if any(
                _compared(w, (kernel.count,)) and kernel.stands_for(w.read()) for w in layer.weights
            )
        )
        held[near, kernel.subgraph] += 1
    return {key for (near, _), count in held.items() if len(near) <= count for key in near}


def strangers(kernels: Sequence[Kernel], layers: Iterable[FileLayer]) -> frozenset[int]:
    """Element counts of the constant kernels that are no array of the file.

    Such a kernel belongs to a layer that the file lacks, or something was folded into it.
    """
    sizes = {kernel.count for kernel in kernels}
    known: dict[int, list[Weight]] = {}
    for layer in layers:
        for weight in layer.weights:
            count = prod(weight.shape)
            if weight.dtype == "float32" and count in sizes:
                known.setdefault(count, []).append(weight)
    types = {(k.count, k.dtype) for k in kernels if k.is_float and k.count in known}
    digests = {(n, dtype): {digest(w.read(), dtype) for w in known[n]} for n, dtype in types}
    return frozenset(kernel.count for kernel in kernels if _is_strange(kernel, known, digests))


def _is_strange(
    kernel: Kernel,
    known: Mapping[int, Sequence[Weight]],
    digests: Mapping[tuple[int, str], set[bytes]],
) -> bool:
    if kernel.count not in known:  # then its values need not be sorted
        return kernel.proves
    if kernel.is_float:
        return bool(kernel.digest) and kernel.digest not in digests[kernel.count, kernel.dtype]
    if not kernel.dtype:
        return True
    return kernel.proves and not any(kernel.stands_for(w.read()) for w in known[kernel.count])
