"""Fused batch normalization and its gradient (tensorflow/core/kernels/fused_batch_norm_op.cc)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import inner
from tflrepair.rebuild.lower.images.sums import mean_of, sum_of
from tflrepair.rebuild.lower.registry import lower


def _axes(x: Any, data_format: str) -> list[int]:
    inner([0] * x.shape.rank, data_format)  # refuses channels first
    return list(range(x.shape.rank - 1))


def _count(x: Any) -> Any:
    """Elements for each channel, as a number of x's type."""
    sizes = x.shape[:-1]
    if sizes.is_fully_defined():
        return float(sizes.num_elements())
    return tf.cast(tf.reduce_prod(tf.shape(x)[:-1]), x.dtype)


def _normalized(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    exponential_avg_factor: float,
    data_format: str,
    is_training: bool,
) -> tuple[Any, Any, Any, Any, Any]:
    """(y, new running mean, new running variance, and the mean and variance of this batch)."""
    if not is_training:
        factor = scale * tf.math.rsqrt(variance + epsilon)
        return (x - mean) * factor + offset, mean, variance, mean, variance
    axes = _axes(x, data_format)
    middle = mean_of(x, axes)
    centred = x - middle
    spread = mean_of(tf.square(centred), axes)
    y = centred * (scale * tf.math.rsqrt(spread + epsilon)) + offset
    count = _count(x)
    # the running variance is that of a sample: divided by n - 1, by 1 where n is 1
    unbiased = spread * (count / tf.maximum(count - 1.0, 1.0))
    new_mean, new_variance = middle, unbiased
    if exponential_avg_factor != 1.0:
        keep = 1.0 - exponential_avg_factor
        new_mean = keep * mean + exponential_avg_factor * middle
        new_variance = keep * variance + exponential_avg_factor * unbiased
    return y, new_mean, new_variance, middle, spread


@lower("FusedBatchNorm", "FusedBatchNormV2")
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float = 1e-4,
    exponential_avg_factor: float = 1.0,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> tuple[Any, ...]:
    return _normalized(
        x, scale, offset, mean, variance, epsilon, exponential_avg_factor, data_format, is_training
    )


@lower("FusedBatchNormV3")
def fused_batch_norm_v3(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float = 1e-4,
    exponential_avg_factor: float = 1.0,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> tuple[Any, ...]:
    rows = _normalized(
        x, scale, offset, mean, variance, epsilon, exponential_avg_factor, data_format, is_training
    )
    return (*rows, tf.zeros([0], scale.dtype))


def _gradient(
    y_backprop: Any,
    x: Any,
    scale: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> tuple[Any, Any, Any]:
    axes = _axes(x, data_format)
    inverse = tf.math.rsqrt(variance + epsilon)
    normal = (x - mean) * inverse
    by_scale = sum_of(y_backprop * normal, axes)
    by_offset = sum_of(y_backprop, axes)
    if not is_training:
        return y_backprop * (scale * inverse), by_scale, by_offset
    count = _count(x)
    rest = y_backprop - by_offset / count - normal * (by_scale / count)
    return rest * (scale * inverse), by_scale, by_offset


@lower("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3")
def fused_batch_norm_grad(
    y_backprop: Any,
    x: Any,
    scale: Any,
    reserve_space_1: Any,
    reserve_space_2: Any,
    epsilon: float = 1e-4,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> tuple[Any, ...]:
    rows = _gradient(
        y_backprop, x, scale, reserve_space_1, reserve_space_2, epsilon, data_format, is_training
    )
    nothing = tf.zeros([0], scale.dtype)
    return (*rows, nothing, nothing)
