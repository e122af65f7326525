"""Random numbers from the builtin generators: the same distribution, another stream.

TensorFlow's stateless operators draw the same numbers for the same key; here each place in the
graph draws from a generator of its own, which goes on from call to call. Keys and counters are
not looked at.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.images.geometry import static
from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.integers import in_order, signed, unpack
from tflrepair.rebuild.lower.tensors.special import erfinv_middle

_TWO_SIGMA = math.erf(math.sqrt(2))
# Bits of a uniform number of a narrow type: rounding one of float32 would make 1 of some.
_BITS = {tf.float16: 10, tf.bfloat16: 7}
_PHILOX = 1


@lower("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")
def uniform(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    value = tf.raw_ops.RandomUniform(
        shape=shape, dtype=tf.float32, seed=seed_of_site, seed2=seed_of_site + 1
    )
    dtype = tf.as_dtype(dtype)
    if dtype in _BITS:
        steps = 2.0 ** _BITS[dtype]
        value = tf.floor(value * steps) / steps
    return value if dtype == tf.float32 else tf.cast(value, dtype)


@lower("RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2")
def normal(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    value = tf.raw_ops.RandomStandardNormal(
        shape=shape, dtype=tf.float32, seed=seed_of_site, seed2=seed_of_site + 1
    )
    return value if tf.as_dtype(dtype) == tf.float32 else tf.cast(value, dtype)


@lower("TruncatedNormal", "StatelessTruncatedNormal", "StatelessTruncatedNormalV2")
def truncated_normal(shape: Any, seed_of_site: int, dtype: Any = tf.float32) -> Any:
    """The inverse of the distribution function, of a uniform number between those of -2 and 2."""
    u = uniform(shape, seed_of_site)
    value = math.sqrt(2) * erfinv_middle((2 * u - 1) * _TWO_SIGMA)
    return value if tf.as_dtype(dtype) == tf.float32 else tf.cast(value, dtype)


@lower("RandomUniformInt", "StatelessRandomUniformInt", "StatelessRandomUniformIntV2")
def uniform_int(shape: Any, minval: Any, maxval: Any, seed_of_site: int) -> Any:
    """Of 23 random bits while those can tell all apart, otherwise the rest of dividing 63 bits."""
    low, high = (tf.cast(value, tf.int64) for value in (minval, maxval))
    least, most = (tf.get_static_value(value) for value in (minval, maxval))
    count = None if least is None or most is None else int(most) - int(least)
    if count is not None and 0 < count <= 2**23:
        drawn = tf.minimum(tf.floor(uniform(shape, seed_of_site) * float(count)), float(count - 1))
        return minval + tf.cast(drawn, minval.dtype)
    if count is not None and not 0 < count < 2**63:
        raise UnsupportedError(f"integers of {least} up to below {most} are drawn")
    parts = [(0, 1), (1, 0), (1, 1)]  # no other place of the graph has these pairs of seeds
    bits = tf.zeros([], tf.int64)
    for first, second in parts:
        seeds = {"seed": seed_of_site + first, "seed2": seed_of_site + second}
        part = tf.floor(tf.raw_ops.RandomUniform(shape=shape, dtype=tf.float32, **seeds) * 2.0**21)
        bits = bits * 2**21 + tf.cast(part, tf.int64)
    return tf.cast(low + tf.math.floormod(bits, high - low), minval.dtype)


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
def read_and_skip(resource: Any, alg: Any, delta: Any) -> Any:
    """A generator's variable counts on as TensorFlow's does: [low, high, key] of Philox."""
    state = resource.read()
    if int(static(alg, "algorithm")) != _PHILOX or state.shape != (3,):
        raise UnsupportedError("the random generator is not Philox")
    low, high, key = unpack(state, 3)
    after = low + 256 * signed(delta)
    carry = tf.cast(in_order(after) < in_order(low), tf.int64)  # over the edge
    resource.assign(tf.stack([after, high + carry, key]))
    return state
