"""Types, ranges and random numbers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.registry import op


@op("CAST", raw=True)
def cast(x: Any, *, out_dtype: str) -> Any:
    return tf.cast(x, out_dtype)


@op("BITCAST", raw=True)
def bitcast(x: Any, *, out_dtype: str) -> Any:
    return tf.bitcast(x, out_dtype)


@op("RANGE")
def range_(start: Any, limit: Any, delta: Any) -> Any:
    return tf.range(tf.reshape(start, []), tf.reshape(limit, []), tf.reshape(delta, []))


@op("RANDOM_UNIFORM")
def random_uniform(shape: Any, *, seed: int = 0, seed2: int = 0, out_dtype: str) -> Any:
    return tf.raw_ops.RandomUniform(shape=shape, dtype=out_dtype, seed=seed, seed2=seed2)


@op("RANDOM_STANDARD_NORMAL")
def random_standard_normal(shape: Any, *, seed: int = 0, seed2: int = 0, out_dtype: str) -> Any:
    return tf.raw_ops.RandomStandardNormal(shape=shape, dtype=out_dtype, seed=seed, seed2=seed2)


@op("MULTINOMIAL")
def multinomial(logits: Any, count: Any, *, seed: int = 0, seed2: int = 0, out_dtype: str) -> Any:
    return tf.raw_ops.Multinomial(
        logits=logits,
        num_samples=tf.reshape(count, []),
        seed=seed,
        seed2=seed2,
        output_dtype=out_dtype,
    )
