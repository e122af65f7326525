"""And, or, not of integers' bits, of which TFLite has the exclusive or and the shift only.

Keras's ``argmax``, and so its accuracy metrics, looks at sign bits this way.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.registry import lower

_NARROW = (tf.int8, tf.uint8, tf.int16, tf.uint16, tf.int32)
_HALF = 1 << 16


@lower("BitwiseAnd")
def bitwise_and(x: Any, y: Any) -> Any:
    """x + y = (x ^ y) + 2 (x & y), for each half of 16 bits, whose sums do not overflow."""
    if x.dtype not in _NARROW:
        raise UnsupportedError(f"its type is {x.dtype.name}; up to 32 bits with a sign are covered")
    wide = [tf.cast(value, tf.int32) for value in (x, y)]
    high = [tf.bitwise.right_shift(value, 16) for value in wide]
    low = [value - part * _HALF for value, part in zip(wide, high, strict=True)]
    return tf.cast(_common(*high) * _HALF + _common(*low), x.dtype)


def _common(x: Any, y: Any) -> Any:
    return tf.bitwise.right_shift(x + y - tf.bitwise.bitwise_xor(x, y), 1)


@lower("BitwiseOr")
def bitwise_or(x: Any, y: Any) -> Any:
    return tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(x, y), bitwise_and(x, y))


@lower("Invert")
def invert(x: Any) -> Any:
    return -1 - x
