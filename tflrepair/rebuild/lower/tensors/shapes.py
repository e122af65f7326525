"""Sizes, positions and other small arithmetic around tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import static
from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.lists import TensorList, added, zeros


@lower("ShapeN")
def shape_n(input: Sequence[Any], out_type: Any = tf.int32) -> list[Any]:
    return [tf.shape(x, out_type=out_type) for x in input]


@lower("ConcatOffset")
def concat_offset(concat_dim: Any, shape: Sequence[Any]) -> list[Any]:
    """Where each part begins: zeros but along the axis, there the sum of the parts before."""
    axis = int(static(concat_dim, "axis"))
    rank = int(shape[0].shape[0])
    axis %= rank
    line = tf.one_hot(axis, rank, dtype=shape[0].dtype)
    offsets = [tf.zeros_like(shape[0])]
    for sizes in shape[:-1]:
        offsets.append(offsets[-1] + sizes * line)
    return offsets


@lower("EnsureShape")
def ensure_shape(input: Any, shape: Any) -> Any:
    """A reshape fails on another number of elements, and tells TensorFlow the shape."""
    wanted = tf.TensorShape(shape)
    known = wanted.merge_with(input.shape)
    if known == input.shape:
        return input
    if known.rank is None:
        return input
    if sum(size is None for size in known) <= 1:
        return tf.reshape(input, [-1 if size is None else size for size in known])
    now = tf.shape(input)
    return tf.reshape(input, [now[i] if n is None else n for i, n in enumerate(known)])


@lower("AddN")
def add_n(inputs: Sequence[Any]) -> Any:
    if isinstance(inputs[0], TensorList):
        return added(inputs)
    total = inputs[0]
    for value in inputs[1:]:
        total = total + value
    return total


@lower("AccumulateNV2")
def accumulate_n(inputs: Sequence[Any]) -> Any:
    return add_n(inputs)


@lower("ZerosLike")
def zeros_like(x: Any) -> Any:
    return zeros(x) if isinstance(x, TensorList) else tf.zeros_like(x)


@lower("OnesLike")
def ones_like(x: Any) -> Any:
    return tf.ones_like(x)


@lower("Empty")
def empty(shape: Any, dtype: Any) -> Any:
    return tf.zeros(shape, dtype)


@lower("InvertPermutation")
def invert_permutation(x: Any) -> Any:
    import numpy as np

    return tf.constant(np.argsort(static(x, "permutation")), x.dtype)


@lower("Snapshot", "StopGradient", "PreventGradient", "Identity", "CheckNumerics")
def unchanged(
    input: Any = None,
    tensor: Any = None,
) -> Any:
    return tensor if input is None else input


@lower("IdentityN")
def identity_n(input: Sequence[Any]) -> list[Any]:
    return list(input)


@lower("DivNoNan")
def div_no_nan(x: Any, y: Any) -> Any:
    zero = tf.equal(y, 0)
    return tf.where(zero, tf.zeros_like(x / y), x / tf.where(zero, tf.ones_like(y), y))


@lower("MulNoNan")
def mul_no_nan(x: Any, y: Any) -> Any:
    return tf.where(tf.equal(y, 0), tf.zeros_like(x * y), x * y)


@lower("Bincount", "DenseBincount")
def bincount(
    input: Any = None,
    size: Any = None,
    weights: Any = None,
    arr: Any = None,
) -> Any:
    values = arr if input is None else input
    count = int(static(size, "size"))
    flat = tf.reshape(values, [-1])
    if weights.shape.num_elements() == 0:
        return tf.reduce_sum(tf.one_hot(flat, count, dtype=weights.dtype), 0)
    rows = tf.one_hot(flat, count, dtype=weights.dtype)
    return tf.reduce_sum(rows * tf.reshape(weights, [-1, 1]), 0)
