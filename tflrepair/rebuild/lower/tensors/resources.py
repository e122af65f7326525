"""Operators on resource variables that have no builtin: the value is read, changed, assigned.

A lowering that takes ``resource`` gets an object with ``read()`` and ``assign(value)``.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.registry import lower


@lower("ResourceGather")
def gather(resource: Any, indices: Any, batch_dims: int = 0) -> Any:
    return tf.gather(resource.read(), indices, batch_dims=batch_dims)


@lower("ResourceGatherNd")
def gather_nd(resource: Any, indices: Any) -> Any:
    return tf.gather_nd(resource.read(), indices)


def _sum(value: Any, indices: Any, updates: Any) -> Any:
    """Zeros of the shape of ``value``, and the updates added at their rows."""
    rows = tf.cast(tf.expand_dims(indices, -1), tf.int32)
    wanted = tf.concat([tf.shape(indices), tf.shape(value)[1:]], 0)
    return tf.scatter_nd(rows, tf.broadcast_to(updates, wanted), tf.shape(value))


@lower("ResourceScatterAdd")
def scatter_add(resource: Any, indices: Any, updates: Any) -> None:
    value = resource.read()
    resource.assign(value + _sum(value, indices, updates))


@lower("ResourceScatterSub")
def scatter_sub(resource: Any, indices: Any, updates: Any) -> None:
    value = resource.read()
    resource.assign(value - _sum(value, indices, updates))


@lower("ResourceScatterUpdate")
def scatter_update(resource: Any, indices: Any, updates: Any) -> None:
    """Rows that are named twice take the mean of what they are given."""
    value = resource.read()
    new = _sum(value, indices, updates)
    hits = _sum(value, indices, tf.ones([], value.dtype))
    resource.assign(tf.where(hits > 0, new / tf.maximum(hits, 1), value))


@lower("ResourceScatterNdAdd")
def scatter_nd_add(ref: Any, indices: Any, updates: Any) -> None:
    value = ref.read()
    ref.assign(value + tf.scatter_nd(tf.cast(indices, tf.int32), updates, tf.shape(value)))


@lower("ResourceScatterNdSub")
def scatter_nd_sub(ref: Any, indices: Any, updates: Any) -> None:
    value = ref.read()
    ref.assign(value - tf.scatter_nd(tf.cast(indices, tf.int32), updates, tf.shape(value)))


@lower("AssignAddVariableOp")
def assign_add(resource: Any, value: Any) -> None:
    resource.assign(resource.read() + value)


@lower("AssignSubVariableOp")
def assign_sub(resource: Any, value: Any) -> None:
    resource.assign(resource.read() - value)


@lower("VariableShape")
def variable_shape(input: Any, out_type: Any = tf.int32) -> Any:
    return tf.shape(input.read(), out_type=out_type)


@lower("VarIsInitializedOp")
def is_initialized(resource: Any) -> Any:
    return tf.constant(True)
