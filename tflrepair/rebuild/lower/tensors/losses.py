"""Softmax cross-entropy and its gradient (tensorflow/core/kernels/xent_op.h, sparse_xent_op.h)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.special import or_nan


def _parts(features: Any) -> tuple[Any, Any, Any]:
    """(features - max, log of the sum of exponentials, softmax)."""
    shifted = features - tf.reduce_max(features, axis=-1, keepdims=True)
    powers = or_nan(tf.exp(shifted), shifted)
    total = tf.reduce_sum(powers, axis=-1, keepdims=True)
    return shifted, tf.math.log(total), powers / total


@lower("SoftmaxCrossEntropyWithLogits")
def softmax_cross_entropy(features: Any, labels: Any) -> tuple[Any, Any]:
    """A label of 0 takes no part, even where its log-softmax is -inf."""
    shifted, log_total, softmax = _parts(features)
    each = labels * (log_total - shifted)
    each = tf.where(tf.equal(labels, 0), tf.zeros_like(each), each)
    return tf.reduce_sum(each, axis=-1), softmax - labels


@lower("SparseSoftmaxCrossEntropyWithLogits")
def sparse_softmax_cross_entropy(features: Any, labels: Any) -> tuple[Any, Any]:
    """A label that is no class gives NaN, as TensorFlow's GPU kernel does (the CPU's stops)."""
    classes = features.shape[-1]
    if classes is None:
        raise UnsupportedError("the number of classes is open")
    shifted, log_total, softmax = _parts(features)
    labels = tf.cast(labels, tf.int32)
    chosen = tf.one_hot(labels, classes, dtype=features.dtype)
    picked = tf.where(chosen > 0, log_total - shifted, tf.zeros_like(shifted))
    loss, gradient = tf.reduce_sum(picked, axis=-1), softmax - chosen
    valid = tf.logical_and(labels >= 0, labels < classes)
    nothing = tf.constant(float("nan"), features.dtype)
    loss = tf.where(valid, loss, nothing * tf.ones_like(loss))
    rows = tf.expand_dims(valid, -1)
    return loss, tf.where(rows, gradient, nothing * tf.ones_like(gradient))
