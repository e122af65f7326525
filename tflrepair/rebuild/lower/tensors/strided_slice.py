"""The gradient of a strided slice: its elements put back, zeros elsewhere.

Bounds and masks are those of tensorflow/core/util/strided_slice_op.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import shape_of, static
from tflrepair.rebuild.lower.registry import lower


@dataclass(frozen=True)
class Part:
    """What one axis of the sliced tensor gives: bounds None where open; ``shrink`` for an index."""

    begin: int | None
    end: int | None
    stride: int
    shrink: bool = False


@lower("StridedSliceGrad")
def strided_slice_grad(
    shape: Any,
    begin: Any,
    end: Any,
    strides: Any,
    dy: Any,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Any:
    sizes = shape_of(shape)
    rank = int(shape.shape[0]) if sizes.rank is None else sizes.rank
    bounds = [static(t, "bounds").tolist() for t in (begin, end, strides)]
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    parts = _parts(rank, bounds, masks)
    return _put_back(dy, shape, sizes.as_list() if sizes.rank is not None else [None] * rank, parts)


def _parts(rank: int, bounds: list[list[int]], masks: tuple[int, ...]) -> list[Part]:
    """One part for each axis of the sliced tensor; new axes have none."""
    begin, end, strides = bounds
    begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask = masks
    count = len(begin)
    plain = [
        i for i in range(count) if not (ellipsis_mask >> i & 1) and not (new_axis_mask >> i & 1)
    ]
    parts: list[Part] = []
    for i in range(count):
        if ellipsis_mask >> i & 1:
            parts += [Part(None, None, 1)] * (rank - len(plain))
        elif not new_axis_mask >> i & 1:
            shrink = bool(shrink_axis_mask >> i & 1)
            first = None if begin_mask >> i & 1 and not shrink else begin[i]
            last = None if end_mask >> i & 1 and not shrink else end[i]
            parts.append(Part(first, last, strides[i], shrink))
    return parts + [Part(None, None, 1)] * (rank - len(parts))


def _put_back(dy: Any, shape: Any, sizes: list[int | None], parts: list[Part]) -> Any:
    """Undo the slicing of one axis after the other, each as the middle one of three."""
    lengths = [_length(part, size) for part, size in zip(parts, sizes, strict=True)]
    now = [
        length if length is not None else _open_length(part, shape[axis])
        for axis, (part, length) in enumerate(zip(parts, lengths, strict=True))
    ]
    for axis, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        if part.begin is None and part.end is None and part.stride == 1:
            continue
        total = size if size is not None else shape[axis]
        flat = tf.reshape(dy, _stack([_times(now[:axis]), now[axis], _times(now[axis + 1 :])]))
        placed = _line(flat, part, now[axis], total)
        now[axis] = total
        dy = tf.reshape(placed, _stack(now))
    return tf.reshape(dy, _stack(now))


def _length(part: Part, size: int | None) -> int | None:
    """Elements that the slice takes; None if that hangs on an open size."""
    if part.shrink:
        return 1
    if size is None:
        return None
    return len(range(*slice(part.begin, part.end, part.stride).indices(size)))


def _open_length(part: Part, size: Any) -> Any:
    """The same for a size that is a tensor, as ``range`` counts it."""
    if part.begin is None and part.end is None and part.stride == 1:
        return size
    first, last = _open_bounds(part, size)
    step = abs(part.stride)
    span = last - first if part.stride > 0 else first - last
    return tf.maximum((span + step - 1) // step, 0)


def _open_bounds(part: Part, size: Any) -> tuple[Any, Any]:
    forward = part.stride > 0
    least, most = (0, size) if forward else (-1, size - 1)

    def place(value: int | None, default: Any) -> Any:
        if value is None:
            return default
        absolute = size + value if value < 0 else value
        return tf.minimum(tf.maximum(absolute, least), most)

    return (
        place(part.begin, 0 if forward else size - 1),
        place(part.end, size if forward else -1),
    )


def _line(flat: Any, part: Part, length: Any, total: Any) -> Any:
    """[outer, length, inner] -> [outer, total, inner] with the elements where they came from."""
    if part.stride < 0:
        flat = tf.reverse(flat, [1])
    step = abs(part.stride)
    if step > 1:
        outer, inner = tf.shape(flat)[0], tf.shape(flat)[2]
        wide = tf.pad(tf.expand_dims(flat, 2), [[0, 0], [0, 0], [0, step - 1], [0, 0]])
        flat = tf.reshape(wide, _stack([outer, length * step, inner]))
        flat = flat[:, : length * step - (step - 1)]
    first = _first(part, length, total)
    covered = (length - 1) * step + 1
    if isinstance(length, int) and length == 0:
        covered = 0
    after = total - first - covered
    return tf.pad(flat, [[0, 0], [first, after], [0, 0]])


def _first(part: Part, length: Any, total: Any) -> Any:
    """The lowest index that was taken."""
    if isinstance(total, int):
        if part.shrink:
            return part.begin % total if part.begin else 0
        taken = range(*slice(part.begin, part.end, part.stride).indices(total))
        return min(taken, default=0)
    if part.shrink:
        return total + part.begin if (part.begin or 0) < 0 else (part.begin or 0)
    first, _ = _open_bounds(part, total)
    return first if part.stride > 0 else first - (length - 1) * -part.stride


def _times(sizes: list[Any]) -> Any:
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def _stack(sizes: list[Any]) -> Any:
    """A shape; one open size becomes -1, so that the others stay known."""
    opened = [not isinstance(size, int) for size in sizes]
    empty = any(isinstance(size, int) and size == 0 for size in sizes)
    if sum(opened) <= 1 and not empty:
        return [-1 if is_open else size for size, is_open in zip(sizes, opened, strict=True)]
    return tf.stack([tf.cast(size, tf.int32) for size in sizes])
