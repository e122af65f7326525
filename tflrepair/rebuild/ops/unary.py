"""Operators on each element of one tensor, and activations."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.registry import op


@op("ABS")
def abs_(x: Any) -> Any:
    return tf.abs(x)


@op("CEIL")
def ceil(x: Any) -> Any:
    return tf.math.ceil(x)


@op("COMPLEX_ABS")
def complex_abs(x: Any) -> Any:
    return tf.abs(x)


@op("COS")
def cos(x: Any) -> Any:
    return tf.cos(x)


@op("ELU")
def elu(x: Any) -> Any:
    return tf.nn.elu(x)


@op("EXP")
def exp(x: Any) -> Any:
    return tf.exp(x)


@op("FLOOR")
def floor(x: Any) -> Any:
    return tf.floor(x)


@op("GELU")
def gelu(x: Any, *, approximate: bool = False) -> Any:
    return tf.nn.gelu(x, approximate=approximate)


@op("HARD_SWISH")
def hard_swish(x: Any) -> Any:
    return x * tf.nn.relu6(x + 3) * (1 / 6)


@op("IMAG")
def imag(x: Any) -> Any:
    return tf.math.imag(x)


@op("LEAKY_RELU")
def leaky_relu(x: Any, *, alpha: float = 0.0) -> Any:
    return tf.nn.leaky_relu(x, alpha=alpha)


@op("LOG")
def log(x: Any) -> Any:
    return tf.math.log(x)


@op("LOG_SOFTMAX")
def log_softmax(x: Any) -> Any:
    return tf.nn.log_softmax(x)


@op("LOGICAL_NOT")
def logical_not(x: Any) -> Any:
    return tf.logical_not(x)


@op("LOGISTIC")
def logistic(x: Any) -> Any:
    return tf.sigmoid(x)


@op("NEG")
def neg(x: Any) -> Any:
    return tf.negative(x)


@op("PRELU")
def prelu(x: Any, alpha: Any) -> Any:
    return tf.nn.relu(x) - alpha * tf.nn.relu(-x)


@op("REAL")
def real(x: Any) -> Any:
    return tf.math.real(x)


@op("RELU")
def relu(x: Any) -> Any:
    return tf.nn.relu(x)


@op("RELU6")
def relu6(x: Any) -> Any:
    return tf.nn.relu6(x)


@op("RELU_0_TO_1")
def relu_0_to_1(x: Any) -> Any:
    return tf.minimum(tf.maximum(x, 0.0), 1.0)


@op("RELU_N1_TO_1")
def relu_n1_to_1(x: Any) -> Any:
    return tf.minimum(tf.maximum(x, -1.0), 1.0)


@op("ROUND")
def round_(x: Any) -> Any:
    return tf.round(x)


@op("RSQRT")
def rsqrt(x: Any) -> Any:
    return tf.math.rsqrt(x)


@op("SIGN")
def sign(x: Any) -> Any:
    return tf.sign(x)


@op("SIN")
def sin(x: Any) -> Any:
    return tf.sin(x)


@op("SOFTMAX")
def softmax(x: Any, *, beta: float = 0.0) -> Any:
    return tf.nn.softmax(x if beta == 1 else x * beta)


@op("SQRT")
def sqrt(x: Any) -> Any:
    return tf.sqrt(x)


@op("SQUARE")
def square(x: Any) -> Any:
    return tf.square(x)


@op("TANH")
def tanh(x: Any) -> Any:
    return tf.tanh(x)


@op("ZEROS_LIKE")
def zeros_like(x: Any) -> Any:
    return tf.zeros_like(x)
