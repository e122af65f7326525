"""Numbers of 64 bits without a sign, computed with one: the counters of random generators.

TFLite's kernels know uint64 for BITCAST and little else. Sums and products have the same bits with
a sign and without; what is less is so after adding the lowest number to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.tensors.integers import in_order, signed

_SAME_BITS = frozenset({"Add", "AddV2", "Mul", "Select", "SelectV2", "Sub"})
_ORDERED = frozenset({"Greater", "GreaterEqual", "Less", "LessEqual"})
_EQUAL = frozenset({"Equal", "NotEqual"})


def _is(value: Any) -> bool:
    return bool(tf.is_tensor(value)) and value.dtype == tf.uint64


def computed(name: str, inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """What operator ``name`` makes of uint64; None if it has to do with none, or is not covered."""
    if name == "Cast":
        return _cast(inputs["x"], tf.as_dtype(attributes["DstT"]))
    if not any(map(_is, inputs.values())):
        return None
    given = {key: signed(value) if _is(value) else value for key, value in inputs.items()}
    operator = getattr(tf.raw_ops, name)
    if name in _SAME_BITS:
        return tf.bitcast(operator(**given), tf.uint64)
    if name in _ORDERED:
        return operator(**{key: in_order(value) for key, value in given.items()})
    return operator(**given) if name in _EQUAL else None


def _cast(x: Any, dtype: Any) -> Any:
    if _is(x) and dtype == tf.int64:
        return signed(x)
    if dtype == tf.uint64 and x.dtype in (tf.int32, tf.int64):
        return tf.bitcast(tf.cast(x, tf.int64), tf.uint64)
    return None
