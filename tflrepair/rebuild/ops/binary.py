"""Operators on two tensors, element by element, with broadcasting."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.common import activate
from tflrepair.rebuild.ops.registry import op


@op("ADD")
def add(x: Any, y: Any, *, fused_activation_function: str = "NONE") -> Any:
    return activate(x + y, fused_activation_function)


@op("ADD_N")
def add_n(*values: Any) -> Any:
    return tf.add_n(list(values))


@op("ATAN2")
def atan2(y: Any, x: Any) -> Any:
    return tf.atan2(y, x)


@op("BITWISE_XOR")
def bitwise_xor(x: Any, y: Any) -> Any:
    return tf.bitwise.bitwise_xor(x, y)


@op("DIV")
def div(x: Any, y: Any, *, fused_activation_function: str = "NONE") -> Any:
    # integers are divided toward zero (kernels/div.cc), as by this op
    return activate(tf.raw_ops.Div(x=x, y=y), fused_activation_function)


@op("EQUAL")
def equal(x: Any, y: Any) -> Any:
    return tf.equal(x, y)


@op("FLOOR_DIV")
def floor_div(x: Any, y: Any) -> Any:
    return tf.math.floordiv(x, y)


@op("FLOOR_MOD")
def floor_mod(x: Any, y: Any) -> Any:
    return tf.math.floormod(x, y)


@op("GREATER")
def greater(x: Any, y: Any) -> Any:
    return tf.greater(x, y)


@op("GREATER_EQUAL")
def greater_equal(x: Any, y: Any) -> Any:
    return tf.greater_equal(x, y)


@op("LESS")
def less(x: Any, y: Any) -> Any:
    return tf.less(x, y)


@op("LESS_EQUAL")
def less_equal(x: Any, y: Any) -> Any:
    return tf.less_equal(x, y)


@op("LOGICAL_AND")
def logical_and(x: Any, y: Any) -> Any:
    return tf.logical_and(x, y)


@op("LOGICAL_OR")
def logical_or(x: Any, y: Any) -> Any:
    return tf.logical_or(x, y)


@op("MAXIMUM")
def maximum(x: Any, y: Any) -> Any:
    return tf.maximum(x, y)


@op("MINIMUM")
def minimum(x: Any, y: Any) -> Any:
    return tf.minimum(x, y)


@op("MUL")
def mul(x: Any, y: Any, *, fused_activation_function: str = "NONE") -> Any:
    return activate(x * y, fused_activation_function)


@op("NOT_EQUAL")
def not_equal(x: Any, y: Any) -> Any:
    return tf.not_equal(x, y)


@op("POW")
def pow_(x: Any, y: Any) -> Any:
    return tf.pow(x, y)


@op("RIGHT_SHIFT")
def right_shift(x: Any, y: Any) -> Any:
    return tf.bitwise.right_shift(x, y)


@op("SELECT")
def select(condition: Any, x: Any, y: Any) -> Any:
    # The first version: a condition of one dimension chooses whole rows.
    return tf.raw_ops.Select(condition=condition, x=x, y=y)


@op("SELECT_V2")
def select_v2(condition: Any, x: Any, y: Any) -> Any:
    return tf.where(condition, x, y)


@op("SQUARED_DIFFERENCE")
def squared_difference(x: Any, y: Any) -> Any:
    return tf.math.squared_difference(x, y)


@op("SUB")
def sub(x: Any, y: Any, *, fused_activation_function: str = "NONE") -> Any:
    return activate(x - y, fused_activation_function)
