"""Half-precision operators computed in float32 and rounded.

TFLite's kernels know float16 and bfloat16 for CAST and little else. One operation in float32,
rounded once more, gives what one in half precision gives: float32 has more than twice the digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

HALVES = ("float16", "bfloat16")


def has_half(value: Any) -> bool:
    """Whether ``value``, a tensor or a list of them, is of half precision."""
    if isinstance(value, list):
        return any(map(has_half, value))
    return bool(tf.is_tensor(value)) and value.dtype.name in HALVES


def widened(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with float32 in the place of half precision."""
    return {
        name: "float32" if isinstance(v, str) and v in HALVES else v
        for name, v in attributes.items()
    }


def wide(value: Any) -> Any:
    if isinstance(value, list):
        return [wide(item) for item in value]
    return tf.cast(value, tf.float32) if has_half(value) else value


def narrow(value: Any, dtype: str) -> Any:
    """``value`` as ``dtype`` if that is the half precision that it stands for."""
    if dtype in HALVES and tf.is_tensor(value) and value.dtype == tf.float32:
        return tf.cast(value, dtype)
    return value
