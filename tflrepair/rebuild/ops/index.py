"""Operators that pick and place elements by index."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.registry import op


@op("GATHER", raw=True)
def gather(x: Any, indices: Any, *, axis: int = 0, batch_dims: int = 0) -> Any:
    return tf.gather(x, indices, axis=axis, batch_dims=batch_dims)


@op("GATHER_ND", raw=True)
def gather_nd(x: Any, indices: Any) -> Any:
    return tf.gather_nd(x, indices)


@op("SCATTER_ND")
def scatter_nd(indices: Any, updates: Any, shape: Any) -> Any:
    return tf.scatter_nd(indices, updates, shape)


@op("SPARSE_TO_DENSE")
def sparse_to_dense(
    indices: Any, shape: Any, values: Any, default: Any, *, validate_indices: bool = False
) -> Any:
    return tf.raw_ops.SparseToDense(
        sparse_indices=indices,
        output_shape=shape,
        sparse_values=values,
        default_value=tf.reshape(default, []),
        validate_indices=validate_indices,
    )


@op("ONE_HOT")
def one_hot(indices: Any, depth: Any, on: Any, off: Any, *, axis: int = 0) -> Any:
    return tf.raw_ops.OneHot(
        indices=indices,
        depth=tf.reshape(depth, []),
        on_value=tf.reshape(on, []),
        off_value=tf.reshape(off, []),
        axis=axis,
    )


@op("EMBEDDING_LOOKUP")
def embedding_lookup(ids: Any, table: Any) -> Any:
    return tf.gather(table, ids)


@op("WHERE")
def where(condition: Any) -> Any:
    return tf.where(condition)


@op("UNIQUE")
def unique(x: Any, *, idx_out_type: str = "int32") -> Any:
    values, indices = tf.unique(x, idx_out_type)
    return values, indices


@op("BUCKETIZE")
def bucketize(x: Any, *, boundaries: tuple[float, ...] = ()) -> Any:
    return tf.raw_ops.Bucketize(input=x, boundaries=list(boundaries))
