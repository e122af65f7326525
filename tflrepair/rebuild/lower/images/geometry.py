"""Where the windows of a convolution or a pooling lie, and moving values between them and an image.

Tensors are [batch, *space, channels] with one, two or three axes of space, whose sizes are known;
the batch may be open. Padding follows tensorflow/core/framework/kernel_shape_util.cc.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Axis:
    """One axis of space: ``size`` elements, ``out`` windows of ``kernel`` taps."""

    size: int
    out: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def extent(self) -> int:
        """Elements from a window's first tap to its last, both counted."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def strides(self) -> int:
        """Strides, whole ones, in which all elements under some tap lie."""
        return (self.extent - 1) // self.stride + max(self.out, 1)

    def taps(self, tap: int) -> list[int]:
        """The element under ``tap`` of each window; outside [0, size) it is padding."""
        return [o * self.stride + tap * self.dilation - self.before for o in range(self.out)]


Geometry = tuple[Axis, ...]


def geometry(
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] | None = None,
    explicit: Sequence[int] = (),
) -> Geometry:
    """The axes of space. ``explicit`` holds (before, after) of each axis in a row, for EXPLICIT."""
    axes = []
    for index, (n, k, s) in enumerate(zip(size, kernel, strides, strict=True)):
        dilation = dilations[index] if dilations else 1
        extent = (k - 1) * dilation + 1
        before = after = 0
        if padding == "SAME":
            out = -(-n // s)
            total = max((out - 1) * s + extent - n, 0)
            before, after = total // 2, total - total // 2
        else:
            if padding == "EXPLICIT":
                before, after = explicit[2 * index : 2 * index + 2]
            out = (n + before + after - extent) // s + 1
        axes.append(Axis(n, max(out, 0), k, s, dilation, before, after))
    return tuple(axes)


def inner(values: Sequence[int], data_format: str = "NHWC") -> list[int]:
    """The entries of a per-dimension attribute that belong to space.

    Raises:
        UnsupportedError: channels come first, which no CPU kernel of TensorFlow takes either.
    """
    if data_format not in ("NHWC", "NDHWC"):
        raise UnsupportedError(f"data format {data_format} is not covered")
    return [int(v) for v in values][1:-1]


def explicit_inner(values: Sequence[int]) -> list[int]:
    """``explicit_paddings`` without those of batch and channels."""
    return [int(v) for v in values][2:-2]


def known(sizes: Sequence[int | None], what: str) -> list[int]:
    """``sizes`` if all are known.

    Raises:
        UnsupportedError: one is open; only the batch may be.
    """
    if any(size is None for size in sizes):
        raise UnsupportedError(
            f"the {what} has open sizes besides the batch: {[s or '?' for s in sizes]}",
            hint="convert with fixed image sizes",
        )
    return [int(size) for size in sizes if size is not None]


def windows_of(
    what: str,
    sizes: Sequence[int | None],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int] = (),
    explicit: Sequence[int] = (),
) -> Geometry:
    """The windows of an operator, from its attributes as they are; ``what`` has the ``sizes``.

    Raises:
        UnsupportedError: see ``known`` and ``inner``.
    """
    rates = inner(dilations, data_format) if dilations else None
    steps = inner(strides, data_format)
    return geometry(known(sizes, what), kernel, steps, padding, rates, explicit_inner(explicit))


def offsets(axes: Geometry) -> Iterator[tuple[int, ...]]:
    """The taps of a window in row-major order."""
    yield from product(*(range(axis.kernel) for axis in axes))


def padded(x: Any, axes: Geometry, value: float = 0.0) -> Any:
    """``x`` with the padding that the windows need."""
    amounts = [(axis.before, axis.after) for axis in axes]
    return pad_space(x, amounts, value)


def pad_space(x: Any, amounts: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    """Pad the axes of space; a negative amount crops."""
    crop = [slice(max(-b, 0), -max(-a, 0) or None) for b, a in amounts]
    if any(part != slice(0, None) for part in crop):
        x = x[(slice(None), *crop)]
    more = [[max(b, 0), max(a, 0)] for b, a in amounts]
    if not any(map(any, more)):
        return x
    pads = [[0, 0], *more, [0, 0]]
    return tf.pad(x, pads, constant_values=value) if value else tf.pad(x, pads)


def window(x: Any, axes: Geometry, taps: Sequence[int]) -> Any:
    """The element under one tap of every window, from ``padded(x)``: [batch, *out, channels]."""
    starts = [tap * axis.dilation for axis, tap in zip(axes, taps, strict=True)]
    if all(axis.stride == 1 for axis in axes):
        parts = [slice(s, s + axis.out) for axis, s in zip(axes, starts, strict=True)]
        return x[(slice(None), *parts)]
    return _strided(x, axes, starts)


def _strided(x: Any, axes: Geometry, starts: Sequence[int]) -> Any:
    """``window`` by one slice with steps of 1: those of other steps go element by element.

    Each axis is cut into strides, and an element's place within its stride counts with the next
    dimension: [batch, rows, stride * columns, stride * channels].
    """
    counts = [axis.strides for axis in axes]
    more = [n * axis.stride - s for n, axis, s in zip(counts, axes, x.shape[1:-1], strict=True)]
    depth = x.shape[-1]
    shape, picked = [-1], [slice(None)]
    stride, within = 1, 0  # of the axis before
    for axis, count, start in zip(axes, counts, starts, strict=True):
        first = within * count + start // axis.stride
        shape.append(stride * count)
        picked.append(slice(first, first + axis.out))
        stride, within = axis.stride, start % axis.stride
    shape.append(stride * depth)
    picked.append(slice(within * depth, (within + 1) * depth))
    whole = pad_space(x, [(0, amount) for amount in more])
    return tf.reshape(whole, shape)[tuple(picked)]


def inside(axes: Geometry, taps: Sequence[int]) -> NDArray[Any]:
    """Whether a tap lies on the image and not on padding: bool [1, *out, 1]."""
    import numpy as np

    result = np.ones((), bool)
    for axis, tap in zip(axes, taps, strict=True):
        line = np.array([0 <= position < axis.size for position in axis.taps(tap)])
        result = np.logical_and(result[..., None], line)
    return result[None, ..., None]


def spread(x: Any, strides: Sequence[int]) -> Any:
    """``strides - 1`` zeros between neighbours along each axis of space.

    One axis after the other on three dimensions: PAD has kernels for few.
    """
    for index, stride in enumerate(strides):
        axis = index + 1
        sizes = list(x.shape)
        if stride == 1 or sizes[axis] == 1:
            continue
        rest = _product(sizes[axis + 1 :])
        flat = tf.pad(tf.reshape(x, [-1, 1, rest]), [[0, 0], [0, stride - 1], [0, 0]])
        sizes[axis] *= stride
        x = tf.reshape(flat, [-1, *sizes[1:]])
        cut = [slice(None)] * axis + [slice(0, sizes[axis] - stride + 1)]
        x = x[tuple(cut)]
    return x


def back_on_image(x: Any, axes: Geometry) -> Any:
    """Values of windows, put where their first tap lies on an image with room for all taps.

    What comes is ready for a correlation with the reversed kernel at stride 1: its result has the
    image's size.
    """
    amounts = []
    for axis in axes:
        before = axis.extent - 1 - axis.before
        amounts.append((before, axis.size + axis.before - (axis.out - 1) * axis.stride - 1))
    return pad_space(spread(x, [axis.stride for axis in axes]), amounts)


def scatter(parts: Sequence[tuple[Sequence[int], Any]], axes: Geometry) -> Any:
    """The adjoint of ``window``: each (taps, values) put under that tap, and all added up.

    What falls on the same place within a stride is added up before it goes on the image.
    """
    sums: dict[tuple[int, ...], Any] = {}
    for taps, values in parts:
        starts = [tap * axis.dilation for axis, tap in zip(axes, taps, strict=True)]
        firsts = [start // axis.stride for axis, start in zip(axes, starts, strict=True)]
        within = tuple(start % axis.stride for axis, start in zip(axes, starts, strict=True))
        amounts = [
            (first, axis.strides - first - axis.out)
            for axis, first in zip(axes, firsts, strict=True)
        ]
        placed = pad_space(values, amounts)
        sums[within] = sums[within] + placed if within in sums else placed
    whole = _interleaved(sums, axes)
    return pad_space(
        whole,
        [(-a.before, a.size + a.before - a.strides * a.stride) for a in axes],
    )


def _interleaved(sums: Mapping[tuple[int, ...], Any], axes: Geometry) -> Any:
    """An image from what is at each place within a stride; zeros where nothing is."""
    some = next(iter(sums.values()))
    zeros = tf.zeros_like(some)
    values = [sums.get(place, zeros) for place in product(*(range(axis.stride) for axis in axes))]
    for index in reversed(range(len(axes))):
        count = axes[index].stride
        groups = [values[n : n + count] for n in range(0, len(values), count)]
        values = [tf.concat(group, index + 2) if count > 1 else group[0] for group in groups]
    sizes = [axis.strides * axis.stride for axis in axes]
    return tf.reshape(values[0], [-1, *sizes, some.shape[-1]])


def _product(sizes: Sequence[int]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def shape_of(tensor: Any) -> Any:
    """The TensorShape that a tensor of sizes holds, as far as it is known while tracing."""
    from tensorflow.python.framework import tensor_util

    return tensor_util.constant_value_as_shape(tensor)


def static(tensor: Any, what: str) -> NDArray[Any]:
    """The value of ``tensor``. Raises UnsupportedError if it is only known at run time."""
    value = tf.get_static_value(tensor)
    if value is None:
        raise UnsupportedError(f"its {what} is only known at run time")
    return value  # type: ignore[no-any-return]
