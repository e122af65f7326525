"""Random numbers from the builtin generators: the same distribution, another stream.

TensorFlow's stateless operators draw the same numbers for the same key; here each place in the
graph draws from a generator of its own, which goes on from call to call. Keys and counters are
not looked at.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.special import erfinv_middle

_TWO_SIGMA = math.erf(math.sqrt(2))


def _float(dtype: Any) -> Any:
    return tf.as_dtype(dtype)


@lower("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")
def uniform(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    value = tf.raw_ops.RandomUniform(
        shape=shape, dtype=tf.float32, seed=seed_of_site, seed2=seed_of_site + 1
    )
    return value if _float(dtype) == tf.float32 else tf.cast(value, dtype)


@lower("RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2")
def normal(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    value = tf.raw_ops.RandomStandardNormal(
        shape=shape, dtype=tf.float32, seed=seed_of_site, seed2=seed_of_site + 1
    )
    return value if _float(dtype) == tf.float32 else tf.cast(value, dtype)


@lower("TruncatedNormal", "StatelessTruncatedNormal", "StatelessTruncatedNormalV2")
def truncated_normal(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    """The inverse of the distribution function, of a uniform number between those of -2 and 2."""
    u = uniform(shape, seed_of_site)
    value = math.sqrt(2) * erfinv_middle((2 * u - 1) * _TWO_SIGMA)
    return value if _float(dtype) == tf.float32 else tf.cast(value, dtype)


@lower("RandomUniformInt", "StatelessRandomUniformInt", "StatelessRandomUniformIntV2")
def uniform_int(shape: Any, minval: Any, maxval: Any, seed_of_site: int) -> Any:
    """Exact for ranges up to 2^23, which is what 23 random bits can tell apart."""
    low, high = tf.cast(minval, tf.float32), tf.cast(maxval, tf.float32)
    drawn = tf.floor(uniform(shape, seed_of_site) * (high - low))
    return minval + tf.cast(tf.minimum(drawn, high - low - 1), minval.dtype)


@lower("StatelessRandomGetKeyCounter")
def key_counter(seed: Any) -> tuple[Any, Any]:
    """Placeholders: the operators that take them do not look at them."""
    return tf.zeros([1], tf.int64), tf.zeros([2], tf.int64)


@lower("StatelessRandomGetKeyCounterAlg")
def key_counter_alg(seed: Any) -> tuple[Any, Any, Any]:
    return tf.zeros([1], tf.int64), tf.zeros([2], tf.int64), tf.constant(1, tf.int32)


@lower("StatelessRandomGetAlg")
def algorithm() -> Any:
    return tf.constant(1, tf.int32)


@lower("RngReadAndSkip")
def read_and_skip() -> Any:
    return tf.zeros([3], tf.int64)
