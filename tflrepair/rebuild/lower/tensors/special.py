"""Special functions that have no builtin operator.

Erf and Erfc: erfc(x) = t * exp(-x^2 + p(t)) with t = 1 / (1 + x / 2) for x >= 0, where p is a
polynomial of degree 10 that we fitted to Python's math.erfc (largest relative error 5e-8); below
|x| = 1 erf is its Taylor series, which keeps small results exact to the last bits.
Erfinv between -0.9545 and 0.9545, where a truncated normal needs it: x * q(-log(1 - x^2)) with q
fitted to Newton's inverse of math.erf (largest relative error 2e-8).
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.registry import lower

_ERFC = (
    -1.265515923500061, 1.000183343887329, 0.3714887797832489, 0.11834079027175903,
    -0.2898368239402771, 0.5875280499458313, -1.723789930343628, 2.2072043418884277,
    -1.3656189441680908, 0.40261104702949524, -0.04259468987584114,
)  # fmt: skip
_ERFINV = (
    0.886226916502227, 0.23201438203012187, 0.011543419189568839, -0.0023177257649869805,
    -0.00015212222050151698, 6.402526454008648e-05, -4.487067177522914e-06,
)  # fmt: skip
_TAYLOR = tuple(
    2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(11)
)


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """The polynomial with ``coefficients``, the constant one first."""
    result = coefficients[-1] * x + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        result = result * x + coefficient
    return result


def _upper(x: Any) -> Any:
    """erfc(x) for x >= 0."""
    t = 1 / (1 + 0.5 * x)
    return t * tf.exp(polynomial(t, _ERFC) - x * x)


def or_nan(value: Any, x: Any) -> Any:
    """``value``, and where ``x`` is NaN, NaN: some kernels' minima and exponentials drop it."""
    return tf.where(tf.equal(x, x), value, x)


@lower("Erf")
def erf(x: Any) -> Any:
    size = tf.abs(x)
    small = tf.minimum(size, 1.0)
    near = small * polynomial(small * small, _TAYLOR)
    far = 1 - _upper(tf.minimum(size, 10.0))
    value = tf.where(size < 1, near, far)
    return or_nan(tf.where(x < 0, -value, value), x)


@lower("Erfc")
def erfc(x: Any) -> Any:
    size = tf.abs(x)
    small = tf.minimum(size, 0.5)
    near = 1 - small * polynomial(small * small, _TAYLOR)
    upper = tf.where(size < 0.5, near, _upper(tf.minimum(size, 20.0)))
    return or_nan(tf.where(x < 0, 2 - upper, upper), x)


def erfinv_middle(x: Any) -> Any:
    """The inverse of erf for |x| <= 0.9545."""
    return x * polynomial(-tf.math.log((1 - x) * (1 + x)), _ERFINV)


def log1p(u: Any) -> Any:
    """log(1 + u), exact for small u too: the rounding of 1 + u is divided out again."""
    one = 1 + u
    exact = tf.equal(one, 1)
    safe = tf.where(exact, tf.ones_like(one), one - 1)
    log = u * (tf.math.log(one) / safe)
    # 1 + inf - 1 would give inf * inf / inf
    return tf.where(exact, u, tf.where(tf.equal(one, u), tf.math.log(one), log))


@lower("Log1p")
def log1p_op(x: Any) -> Any:
    return log1p(x)


@lower("Expm1")
def expm1(x: Any) -> Any:
    """exp(x) - 1; a Taylor series near 0."""
    small = tf.clip_by_value(x, -0.4, 0.4)
    series = small * polynomial(small, tuple(1 / math.factorial(n + 1) for n in range(9)))
    return or_nan(tf.where(tf.abs(x) < 0.4, series, tf.exp(x) - 1), x)


@lower("Xdivy")
def xdivy(x: Any, y: Any) -> Any:
    zero = tf.equal(x, 0)
    return tf.where(zero, tf.zeros_like(x / y), x / tf.where(zero, tf.ones_like(y), y))


@lower("Xlogy")
def xlogy(x: Any, y: Any) -> Any:
    zero = tf.equal(x, 0)
    return tf.where(zero, tf.zeros_like(x * y), x * tf.math.log(y))


@lower("Xlog1py")
def xlog1py(x: Any, y: Any) -> Any:
    zero = tf.equal(x, 0)
    return tf.where(zero, tf.zeros_like(x * y), x * log1p(y))


@lower("L2Loss")
def l2_loss(t: Any) -> Any:
    return tf.reduce_sum(tf.square(t)) / 2
