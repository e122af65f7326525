"""Reductions, searches for extremes, and segments."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.registry import op


@op("MEAN")
def mean(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_mean(x, axes, keepdims=keep_dims)


@op("SUM")
def sum_(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_sum(x, axes, keepdims=keep_dims)


@op("REDUCE_PROD")
def reduce_prod(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_prod(x, axes, keepdims=keep_dims)


@op("REDUCE_MAX")
def reduce_max(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_max(x, axes, keepdims=keep_dims)


@op("REDUCE_MIN")
def reduce_min(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_min(x, axes, keepdims=keep_dims)


@op("REDUCE_ANY")
def reduce_any(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_any(x, axes, keepdims=keep_dims)


@op("REDUCE_ALL")
def reduce_all(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
    return tf.reduce_all(x, axes, keepdims=keep_dims)


@op("ARG_MAX")
def arg_max(x: Any, axis: Any, *, out_dtype: str) -> Any:
    return tf.raw_ops.ArgMax(input=x, dimension=tf.reshape(axis, []), output_type=out_dtype)


@op("ARG_MIN")
def arg_min(x: Any, axis: Any, *, out_dtype: str) -> Any:
    return tf.raw_ops.ArgMin(input=x, dimension=tf.reshape(axis, []), output_type=out_dtype)


@op("CUMSUM")
def cumsum(x: Any, axis: Any, *, exclusive: bool = False, reverse: bool = False) -> Any:
    axis = tf.reshape(axis, [])
    return tf.raw_ops.Cumsum(x=x, axis=axis, exclusive=exclusive, reverse=reverse)


@op("TOPK_V2")
def topk_v2(x: Any, k: Any) -> Any:
    values, indices = tf.math.top_k(x, tf.reshape(k, []))
    return values, indices


@op("SEGMENT_SUM")
def segment_sum(x: Any, segments: Any) -> Any:
    return tf.math.segment_sum(x, segments)


@op("UNSORTED_SEGMENT_MAX")
def unsorted_segment_max(x: Any, segments: Any, count: Any) -> Any:
    return tf.math.unsorted_segment_max(x, segments, count)


@op("UNSORTED_SEGMENT_MIN")
def unsorted_segment_min(x: Any, segments: Any, count: Any) -> Any:
    return tf.math.unsorted_segment_min(x, segments, count)


@op("UNSORTED_SEGMENT_PROD")
def unsorted_segment_prod(x: Any, segments: Any, count: Any) -> Any:
    return tf.math.unsorted_segment_prod(x, segments, count)


@op("UNSORTED_SEGMENT_SUM")
def unsorted_segment_sum(x: Any, segments: Any, count: Any) -> Any:
    return tf.math.unsorted_segment_sum(x, segments, count)
