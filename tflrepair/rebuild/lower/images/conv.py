"""Gradients of 2-D and 3-D convolutions, and convolutions with a padding of their own.

Filter: for each tap, the elements under it, transposed, times the gradient's rows. Input: the
gradient's values spread over the image, correlated with the reversed filter. Both work with an
open batch, strides, dilations, explicit padding and groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import (
    Geometry,
    back_on_image,
    explicit_inner,
    inner,
    known,
    offsets,
    pad_space,
    padded,
    shape_of,
    static,
    window,
    windows_of,
)
from tflrepair.rebuild.lower.registry import lower

_MOST_PRODUCTS = 49  # a filter of 7 x 7
_INPUT = "convolution's input"


@lower("Conv2DBackpropFilter", "Conv3DBackpropFilterV2")
def backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    sizes = [int(n) for n in static(filter_sizes, "filter's shape")]
    *kernel, depth, outputs = sizes
    rates = list(dilations)[: len(sizes)]
    space = input.shape[1:-1]
    axes = windows_of(
        _INPUT, space, kernel, strides, padding, data_format, rates, explicit_paddings
    )
    groups = known([input.shape[-1]], _INPUT)[0] // depth
    x = padded(input, axes)
    if groups == 1:
        return tf.reshape(_filter_of(x, out_backprop, axes), sizes)
    parts = [
        tf.reshape(_filter_of(a, b, axes), [*sizes[:-1], outputs // groups])
        for a, b in zip(
            tf.split(x, groups, axis=-1), tf.split(out_backprop, groups, axis=-1), strict=True
        )
    ]
    return tf.concat(parts, -1)


def _filter_of(x: Any, dy: Any, axes: Geometry) -> Any:
    """[taps * in, out]: the sum over all windows of element times gradient.

    One product for each tap takes XNNPACK a third of the time of one product of all (im2col), since
    nothing is copied together first; large filters would make too many operators of it.
    """
    depth = x.shape[-1]
    rows = tf.reshape(dy, [-1, dy.shape[-1]])
    columns = [tf.reshape(window(x, axes, taps), [-1, depth]) for taps in offsets(axes)]
    if len(columns) > _MOST_PRODUCTS:
        return tf.matmul(tf.concat(columns, -1), rows, transpose_a=True)
    products = [tf.matmul(column, rows, transpose_a=True) for column in columns]
    return products[0] if len(products) == 1 else tf.concat(products, 0)


@lower("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    *kernel, depth, _ = known(filter.shape, "filter")
    rank = len(kernel) + 2
    shape = shape_of(input_sizes)
    rates = list(dilations)[:rank]
    axes = windows_of(
        _INPUT, shape[1:-1], kernel, strides, padding, data_format, rates, explicit_paddings
    )
    groups = known([shape[-1]], _INPUT)[0] // depth
    image = back_on_image(out_backprop, axes)
    reverse = _reversed(filter, kernel, groups)
    rate = [axis.dilation for axis in axes]
    if len(kernel) == 3:
        return tf.nn.conv3d(image, reverse, [1] * 5, "VALID", dilations=[1, *rate, 1])
    return tf.nn.conv2d(image, reverse, 1, "VALID", dilations=rate)


def _reversed(kernel: Any, space: Sequence[int], groups: int) -> Any:
    """The filter turned by half a turn in space, its inputs and outputs exchanged.

    [*space, in, out] -> [*space, out / groups, in * groups]; the taps are reversed as one axis.
    """
    *_, depth, outputs = kernel.shape
    taps = 1
    for size in space:
        taps *= size
    turned = tf.reverse(tf.reshape(kernel, [taps, depth, groups, outputs // groups]), [0])
    turned = tf.transpose(turned, [0, 3, 2, 1])
    return tf.reshape(turned, [*space, outputs // groups, groups * depth])


@lower("Conv2D")
def conv2d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    """With explicit padding, which the builtin operator does not have: padded first."""
    steps, rates = inner(strides, data_format), inner(dilations, data_format)
    if padding == "EXPLICIT":
        explicit = explicit_inner(explicit_paddings)
        amounts = list(zip(explicit[::2], explicit[1::2], strict=True))
        input, padding = pad_space(input, amounts), "VALID"
    return tf.nn.conv2d(input, filter, steps, padding, dilations=rates)
