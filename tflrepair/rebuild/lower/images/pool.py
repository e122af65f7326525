"""Gradients of pooling, and 3-D pooling (tensorflow/core/kernels/maxpooling_op.cc and others).

Where several elements of a window are its maximum, the first in row-major order takes all; in 3-D
each of them takes all (pooling_ops_3d.cc).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.depthwise import correlate
from tflrepair.rebuild.lower.images.geometry import (
    Geometry,
    back_on_image,
    inner,
    inside,
    known,
    offsets,
    padded,
    scatter,
    shape_of,
    window,
    windows_of,
)
from tflrepair.rebuild.lower.registry import lower


def _axes(
    sizes: Sequence[int | None],
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
    explicit: Sequence[int] = (),
) -> Geometry:
    kernel = inner(ksize, data_format)
    return windows_of(
        "pooling's input", sizes, kernel, strides, padding, data_format, explicit=explicit
    )


@lower("MaxPool3DGrad")
def max_pool_3d_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Any:
    axes = _axes(orig_input.shape[1:-1], ksize, strides, padding, data_format)
    x = padded(orig_input, axes, orig_input.dtype.min)
    zeros = tf.zeros_like(grad)
    parts = []
    for taps in offsets(axes):
        hit = tf.logical_and(tf.equal(window(x, axes, taps), orig_output), inside(axes, taps))
        parts.append((taps, tf.where(hit, grad, zeros)))
    return scatter(parts, axes)


@lower("MaxPoolGrad")
def max_pool_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    explicit_paddings: Sequence[int] = (),
    data_format: str = "NHWC",
) -> Any:
    space = orig_input.shape[1:-1]
    axes = _axes(space, ksize, strides, padding, data_format, explicit_paddings)
    x = padded(orig_input, axes, orig_input.dtype.min)
    parts = []
    left, zeros = grad, tf.zeros_like(grad)  # of windows whose maximum has not been met yet
    for taps in offsets(axes):
        hit = tf.equal(window(x, axes, taps), orig_output)
        real = inside(axes, taps)
        if not real.all():
            hit = tf.logical_and(hit, real)
        parts.append((taps, tf.where(hit, left, zeros)))
        left = tf.where(hit, zeros, left)
    return scatter(parts, axes)


@lower("MaxPoolGradV2")
def max_pool_grad_v2(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
) -> Any:
    from tflrepair.rebuild.lower.images.geometry import static

    sizes, steps = static(ksize, "window").tolist(), static(strides, "stride").tolist()
    return max_pool_grad(
        orig_input, orig_output, grad, sizes, steps, padding, data_format=data_format
    )


@lower("AvgPoolGrad")
def avg_pool_grad(
    orig_input_shape: Any,
    grad: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Any:
    """A depthwise convolution of the spread gradient with ones."""
    axes = _axes(shape_of(orig_input_shape)[1:-1], ksize, strides, padding, data_format)
    depth = known([grad.shape[-1]], "pooling's input")[0]
    image = back_on_image(grad * _shares(axes), axes)
    ones = tf.ones([*(axis.kernel for axis in axes), depth, 1], grad.dtype)
    return correlate(image, ones, [1, 1])


@lower("AvgPool3DGrad")
def avg_pool_3d_grad(
    orig_input_shape: Any,
    grad: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Any:
    axes = _axes(shape_of(orig_input_shape)[1:-1], ksize, strides, padding, data_format)
    share = grad * _shares(axes)
    return scatter([(taps, share) for taps in offsets(axes)], axes)


def _shares(axes: Geometry) -> Any:
    """1 / the number of elements of each window that are on the image."""
    import numpy as np

    count = sum(inside(axes, taps).astype(np.float32) for taps in offsets(axes))
    return np.float32(1) / np.maximum(count, 1)


@lower("MaxPool3D")
def max_pool_3d(
    input: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Any:
    axes = _axes(input.shape[1:-1], ksize, strides, padding, data_format)
    x = padded(input, axes, input.dtype.min)
    return reduce(tf.maximum, (window(x, axes, taps) for taps in offsets(axes)))


@lower("AvgPool3D")
def avg_pool_3d(
    input: Any,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Any:
    axes = _axes(input.shape[1:-1], ksize, strides, padding, data_format)
    x = padded(input, axes)
    total = None
    for taps in offsets(axes):
        part = window(x, axes, taps)
        total = part if total is None else total + part
    return total * _shares(axes)
