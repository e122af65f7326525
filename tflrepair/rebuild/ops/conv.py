"""Convolutions, matrix products and pooling.

TFLite keeps convolution weights as [out, height, width, in] and those of depthwise convolutions
as [1, height, width, out]; TensorFlow takes [height, width, in, out] and
[height, width, in, multiplier] (tensorflow/lite/kernels/conv.cc, depthwise_conv.cc).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.common import activate, add_bias, relayout
from tflrepair.rebuild.ops.registry import op


@op("CONV_2D")
def conv_2d(
    x: Any,
    weights: Any,
    bias: Any = None,
    *,
    padding: str = "SAME",
    stride_h: int = 0,
    stride_w: int = 0,
    dilation_h_factor: int = 1,
    dilation_w_factor: int = 1,
    fused_activation_function: str = "NONE",
) -> Any:
    y = tf.nn.conv2d(
        x,
        relayout(weights, [1, 2, 3, 0]),
        strides=[stride_h, stride_w],
        padding=padding,
        dilations=[dilation_h_factor, dilation_w_factor],
    )
    return add_bias(y, bias, fused_activation_function)


@op("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(
    x: Any,
    weights: Any,
    bias: Any = None,
    *,
    padding: str = "SAME",
    stride_h: int = 0,
    stride_w: int = 0,
    depth_multiplier: int = 0,
    dilation_h_factor: int = 1,
    dilation_w_factor: int = 1,
    fused_activation_function: str = "NONE",
) -> Any:
    _, height, width, out = weights.shape
    # The option may be 0 or stale: kernels go by the shapes.
    multiplier = out // x.shape[-1] if x.shape[-1] else depth_multiplier
    kernel = tf.reshape(weights, [height, width, out // multiplier, multiplier])
    dilations = [dilation_h_factor, dilation_w_factor]
    if dilations != [1, 1] and (stride_h, stride_w) != (1, 1):
        kernel, dilations = spread(kernel, dilations), [1, 1]
    if stride_h == stride_w:
        y = tf.nn.depthwise_conv2d(x, kernel, [1, stride_h, stride_w, 1], padding, None, dilations)
    else:  # TensorFlow has no depthwise kernel for these: the same as a grouped convolution
        grouped = tf.reshape(kernel, [kernel.shape[0], kernel.shape[1], 1, out])
        y = tf.nn.conv2d(x, grouped, [stride_h, stride_w], padding)
    return add_bias(y, bias, fused_activation_function)


def spread(kernel: Any, dilations: list[int]) -> Any:
    """The kernel with zeros between its elements, which needs no dilation."""
    for axis, rate in enumerate(dilations):
        size = kernel.shape[axis]
        gaps = [[0, 0]] * (kernel.shape.rank + 1)
        gaps[axis + 1] = [0, rate - 1]
        shape = list(kernel.shape)
        shape[axis] = size * rate
        kernel = tf.reshape(tf.pad(tf.expand_dims(kernel, axis + 1), gaps), shape)
        kernel = tf.split(kernel, [(size - 1) * rate + 1, rate - 1], axis)[0]
    return kernel


@op("TRANSPOSE_CONV")
def transpose_conv(
    output_shape: Any,
    weights: Any,
    x: Any,
    bias: Any = None,
    *,
    padding: str = "SAME",
    stride_h: int = 0,
    stride_w: int = 0,
    fused_activation_function: str = "NONE",
) -> Any:
    y = tf.nn.conv2d_transpose(
        x, relayout(weights, [1, 2, 0, 3]), output_shape, [stride_h, stride_w], padding
    )
    return add_bias(y, bias, fused_activation_function)


@op("CONV_3D")
def conv_3d(
    x: Any,
    weights: Any,
    bias: Any = None,
    *,
    padding: str = "SAME",
    stride_d: int = 0,
    stride_h: int = 0,
    stride_w: int = 0,
    dilation_d_factor: int = 1,
    dilation_h_factor: int = 1,
    dilation_w_factor: int = 1,
    fused_activation_function: str = "NONE",
) -> Any:
    strides = [1, stride_d, stride_h, stride_w, 1]
    rates = [dilation_d_factor, dilation_h_factor, dilation_w_factor]
    if rates != [1, 1, 1]:  # TensorFlow's CPU kernel has no dilation
        weights = spread(weights, rates)
    return add_bias(tf.nn.conv3d(x, weights, strides, padding), bias, fused_activation_function)


@op("CONV_3D_TRANSPOSE")
def conv_3d_transpose(
    output_shape: Any,
    weights: Any,
    x: Any,
    bias: Any = None,
    *,
    padding: str = "SAME",
    stride_d: int = 0,
    stride_h: int = 0,
    stride_w: int = 0,
    dilation_d_factor: int = 1,
    dilation_h_factor: int = 1,
    dilation_w_factor: int = 1,
    fused_activation_function: str = "NONE",
) -> Any:
    strides = [1, stride_d, stride_h, stride_w, 1]
    rates = [dilation_d_factor, dilation_h_factor, dilation_w_factor]
    if rates != [1, 1, 1]:
        weights = spread(weights, rates)
    y = tf.nn.conv3d_transpose(x, weights, output_shape, strides, padding)
    return add_bias(y, bias, fused_activation_function)


@op("FULLY_CONNECTED")
def fully_connected(
    x: Any,
    weights: Any,
    bias: Any = None,
    *,
    keep_num_dims: bool = False,
    fused_activation_function: str = "NONE",
) -> Any:
    units, depth = weights.shape
    flat = x if x.shape.rank == 2 and x.shape[1] == depth else tf.reshape(x, [-1, depth])
    y = tf.matmul(flat, relayout(weights, [1, 0]))
    y = add_bias(y, bias, fused_activation_function)
    if keep_num_dims and x.shape.rank != 2:
        y = tf.reshape(y, tf.concat([tf.shape(x)[:-1], [units]], 0))
        y = tf.ensure_shape(y, [*x.shape[:-1], units])
    return y


@op("BATCH_MATMUL")
def batch_matmul(x: Any, y: Any, *, adj_x: bool = False, adj_y: bool = False) -> Any:
    return tf.matmul(x, y, transpose_a=adj_x, transpose_b=adj_y)


@op("AVERAGE_POOL_2D")
def average_pool_2d(
    x: Any,
    *,
    padding: str = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    filter_width: int = 0,
    filter_height: int = 0,
    fused_activation_function: str = "NONE",
) -> Any:
    y = tf.nn.avg_pool2d(x, [filter_height, filter_width], [stride_h, stride_w], padding)
    return activate(y, fused_activation_function)


@op("MAX_POOL_2D")
def max_pool_2d(
    x: Any,
    *,
    padding: str = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    filter_width: int = 0,
    filter_height: int = 0,
    fused_activation_function: str = "NONE",
) -> Any:
    y = tf.nn.max_pool2d(x, [filter_height, filter_width], [stride_h, stride_w], padding)
    return activate(y, fused_activation_function)


@op("L2_POOL_2D")
def l2_pool_2d(
    x: Any,
    *,
    padding: str = "SAME",
    stride_w: int = 0,
    stride_h: int = 0,
    filter_width: int = 0,
    filter_height: int = 0,
    fused_activation_function: str = "NONE",
) -> Any:
    window, strides = [filter_height, filter_width], [stride_h, stride_w]
    y = tf.sqrt(tf.nn.avg_pool2d(tf.square(x), window, strides, padding))
    return activate(y, fused_activation_function)
