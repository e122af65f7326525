"""Gradients of depthwise convolutions.

Filter: for each tap, the sum over all windows of element times gradient. Input: a depthwise
convolution of the gradient, spread over the image, with the reversed filter, which is several
times faster than scattering.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import (
    Geometry,
    back_on_image,
    known,
    offsets,
    padded,
    shape_of,
    static,
    window,
    windows_of,
)
from tflrepair.rebuild.lower.registry import lower

_INPUT = "convolution's input"


@lower("DepthwiseConv2dNativeBackpropFilter")
def backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    height, width, depth, multiplier = (int(n) for n in static(filter_sizes, "filter's shape"))
    space = input.shape[1:3]
    size = (height, width)
    axes = windows_of(
        _INPUT, space, size, strides, padding, data_format, dilations, explicit_paddings
    )
    x = padded(input, axes)
    if multiplier == 1:
        rows = [tf.reduce_sum(window(x, axes, t) * out_backprop, [0, 1, 2]) for t in offsets(axes)]
    else:
        dy = tf.reshape(out_backprop, [-1, depth, multiplier])
        rows = [
            tf.reduce_sum(tf.reshape(window(x, axes, t), [-1, depth, 1]) * dy, 0)
            for t in offsets(axes)
        ]
    return tf.reshape(tf.stack(rows), [height, width, depth, multiplier])


@lower("DepthwiseConv2dNativeBackpropInput")
def backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    height, width, depth, multiplier = known(filter.shape, "filter")
    space = shape_of(input_sizes)[1:3]
    size = (height, width)
    axes = windows_of(
        _INPUT, space, size, strides, padding, data_format, dilations, explicit_paddings
    )
    image = back_on_image(out_backprop, axes)
    taps = tf.reshape(filter, [height * width, depth * multiplier])
    turned = tf.reshape(tf.reverse(taps, [0]), [height, width, depth * multiplier, 1])
    each = correlate(image, turned, [axis.dilation for axis in axes])
    if multiplier == 1:
        return each
    sizes = [axis.size for axis in axes]
    rows = tf.reshape(each, [-1, depth, multiplier])
    return tf.reshape(tf.reduce_sum(rows, -1), [-1, *sizes, depth])


def correlate(image: Any, kernel: Any, rates: Sequence[int]) -> Any:
    """A depthwise convolution at stride 1 without padding.

    A dilated filter is widened by zeros: neither TensorFlow nor the converter takes it as it is.
    """
    if any(rate > 1 for rate in rates):
        kernel = _widened(kernel, rates)
    return tf.nn.depthwise_conv2d(image, kernel, [1, 1, 1, 1], "VALID")


def _widened(kernel: Any, rates: Sequence[int]) -> Any:
    from tflrepair.rebuild.lower.images.geometry import spread

    height, width, depth, _ = kernel.shape
    wide = spread(tf.reshape(kernel, [1, height, width, depth]), rates)
    return tf.reshape(wide, [*wide.shape[1:3], depth, 1])


@lower("DepthwiseConv2dNative")
def depthwise(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int] = (1, 1, 1, 1),
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    """With explicit padding or unequal strides, which the builtin operator does not have."""
    height, width, *_ = known(filter.shape, "filter")
    space = input.shape[1:3]
    size = (height, width)
    axes = windows_of(
        _INPUT, space, size, strides, padding, data_format, dilations, explicit_paddings
    )
    return correlate_all(padded(input, axes), filter, axes)


def correlate_all(x: Any, kernel: Any, axes: Geometry) -> Any:
    """Every window's sum of element times tap, at any stride."""
    depth, multiplier = kernel.shape[2:]
    wide = tf.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    taps = tf.reshape(kernel, [-1, depth * multiplier])
    parts = (window(wide, axes, place) * taps[n] for n, place in enumerate(offsets(axes)))
    return reduce(tf.add, parts)
