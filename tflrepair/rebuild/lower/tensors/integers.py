"""Integers of 64 bits, for which some builtins have no kernel.

FLOOR_DIV has none, FLOOR_MOD has: Keras divides counts with ``gradient_accumulation_steps``.
UNPACK has none: random generators unpack their counters.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.registry import lower

_BUILTIN = (tf.int8, tf.int16, tf.int32, tf.float32)
# Each division in float32 leaves less than 2^-22 of the quotient, which has 63 bits at most.
_ROUNDS = 3
_LOWEST = -(2**63)


@lower("FloorDiv")
def floor_div(x: Any, y: Any) -> Any:
    """Quotients rounded in float32, each of what the last one left; exact, all over int64.

    What is left in the end is x modulo y, or that less y. FLOOR_MOD fails for y = 0, as
    TensorFlow does.
    """
    if x.dtype in _BUILTIN:
        return tf.raw_ops.FloorDiv(x=x, y=y)
    if x.dtype != tf.int64:
        raise UnsupportedError(f"its type is {x.dtype.name}; integers with a sign are covered")
    divisor = tf.cast(y, tf.float32)
    left = x
    quotient = tf.zeros_like(x)
    for _ in range(_ROUNDS):
        part = tf.cast(tf.round(tf.cast(left, tf.float32) / divisor), tf.int64)
        quotient += part
        left -= part * y
    return quotient - tf.cast(tf.not_equal(left, tf.math.floormod(x, y)), tf.int64)


@lower("Unpack")
def unpack(value: Any, num: int, axis: int = 0) -> list[Any]:
    if value.dtype not in (tf.int64, tf.uint64):
        return list(tf.unstack(value, num, axis))
    before = (slice(None),) * (axis % value.shape.rank)
    return [value[(*before, place)] for place in range(num)]


def in_order(value: Any) -> Any:
    """int64 of which one is less than another where, read as uint64, they are so."""
    return value + _LOWEST


def signed(value: Any) -> Any:
    """uint64 as int64 of the same bits, which TFLite's kernels know."""
    known = tf.get_static_value(value)
    return tf.bitcast(value, tf.int64) if known is None else tf.constant(known.astype("int64"))
