"""Quantization.

A quantized operator is computed in float between ``dequantize`` and ``quantize``: what its
integer kernel answers differs by the kernel's own rounding, one step of the scale as a rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tflrepair.rebuild.ops.registry import op


def along(axis: int, x: Any, values: Any) -> Any:
    """One number, or several that go along ``axis`` of ``x``."""
    shape = [1] * (x.shape.rank or 0)
    if len(values) > 1:
        shape[axis] = len(values)
    return np.asarray(values, np.float32).reshape(shape if len(values) > 1 else [])


def dequantize(x: Any, scale: list[float], zero_point: list[int], axis: int = 0) -> Any:
    """Real values of stored integers; several scales go along ``axis``."""
    zeros, scales = along(axis, x, zero_point), along(axis, x, scale)
    return (tf.cast(x, tf.float32) - zeros) * scales


def quantize(x: Any, scale: list[float], zero_point: list[int], dtype: str, axis: int = 0) -> Any:
    """Stored integers for real values, to the nearest and within ``dtype``."""
    zeros, scales = along(axis, x, zero_point), along(axis, x, scale)
    kind = tf.as_dtype(dtype)
    steps = tf.round(x / scales) + zeros
    return tf.cast(tf.clip_by_value(steps, float(kind.min), float(kind.max)), kind)


@op("QUANTIZE")
def as_real(x: Any) -> Any:
    """The plan puts ``dequantize`` and ``quantize`` around it, as around any operator."""
    return tf.cast(x, tf.float32)


@op("DEQUANTIZE")
def widen(x: Any) -> Any:
    """Float16 to float32; ``dequantize`` comes before it where the input is quantized."""
    return tf.cast(x, tf.float32)


@op("FAKE_QUANT")
def fake_quant(
    x: Any,
    *,
    min: float = 0.0,
    max: float = 0.0,
    num_bits: int = 0,
    narrow_range: bool = False,
) -> Any:
    return tf.quantization.fake_quant_with_min_max_args(x, min, max, num_bits, narrow_range)
