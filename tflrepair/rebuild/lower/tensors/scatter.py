"""Scattering into tensors: SCATTER_ND makes zeros with some elements set or summed."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.registry import lower


def _zeros_with(indices: Any, updates: Any, like: Any) -> Any:
    return tf.scatter_nd(tf.cast(indices, tf.int32), updates, tf.shape(like))


def touched(indices: Any, like: Any) -> Any:
    """Where an update goes, bool of the shape of ``like``."""
    depth = indices.shape[-1]
    ones = tf.ones(tf.concat([tf.shape(indices)[:-1], tf.shape(like)[depth:]], 0), like.dtype)
    return _zeros_with(indices, ones, like) > 0


@lower("TensorScatterAdd")
def add(tensor: Any, indices: Any, updates: Any) -> Any:
    return tensor + _zeros_with(indices, updates, tensor)


@lower("TensorScatterSub")
def subtract(tensor: Any, indices: Any, updates: Any) -> Any:
    return tensor - _zeros_with(indices, updates, tensor)


@lower("TensorScatterUpdate")
def update(tensor: Any, indices: Any, updates: Any) -> Any:
    """Which of several updates of one element wins is left open by TensorFlow; here their sum."""
    return tf.where(touched(indices, tensor), _zeros_with(indices, updates, tensor), tensor)


@lower("UnsortedSegmentSum")
def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any) -> Any:
    return tf.math.unsorted_segment_sum(data, segment_ids, num_segments)
