"""What the operators' functions share."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def activate(x: Any, activation: str) -> Any:
    """Apply a fused activation (schema enum ActivationFunctionType)."""
    if activation == "RELU":
        return tf.nn.relu(x)
    if activation == "RELU_N1_TO_1":
        return tf.minimum(tf.maximum(x, -1.0), 1.0)
    if activation == "RELU6":
        return tf.nn.relu6(x)
    if activation == "TANH":
        return tf.tanh(x)
    if activation == "SIGN_BIT":
        return tf.cast(x < 0, x.dtype)
    return x


def add_bias(x: Any, bias: Any, activation: str) -> Any:
    """Add the optional bias and apply the fused activation."""
    return activate(x if bias is None else tf.nn.bias_add(x, bias), activation)


def relayout(x: Any, order: list[int]) -> Any:
    """Transpose; where that undoes a transpose in the graph, return what was transposed.

    Converters put weights into TFLite's order by a TRANSPOSE. A second one that puts them back
    would stay in the rebuilt model wherever the weight is a variable.
    """
    if not tf.is_symbolic_tensor(x) or x.op.type != "Transpose":
        return tf.transpose(x, order)
    done = tf.get_static_value(x.op.inputs[1])
    if done is not None and [int(done[axis]) for axis in order] == list(range(len(order))):
        return x.op.inputs[0]
    return tf.transpose(x, order)


def loop(condition: Any, body: Any, start: list[Any], shapes: list[list[int]]) -> Any:
    """WHILE: ``body`` as long as ``condition``; a loop variable's size stays open where -1."""
    kept = []
    for value, shape in zip(start, shapes, strict=True):
        sizes = value.shape
        if sizes.rank == len(shape):
            sizes = tf.TensorShape(
                [None if n < 0 else k for k, n in zip(sizes, shape, strict=True)]
            )
        kept.append(sizes)

    def known(now: Any) -> Any:
        for value, shape in zip(now, kept, strict=True):
            value.set_shape(shape)
        return now

    def test(*now: Any) -> Any:
        return tf.reshape(condition(*known(now))[0], [])

    try:
        return tf.while_loop(test, body, start, shape_invariants=kept)
    except ValueError:
        # What the body gives has the declared shape, but TensorFlow cannot see it from its
        # operators (a state that is sliced and concatenated): open the sizes, declare them inside.
        sizes = [tf.TensorShape([None] * k.rank if k.rank is not None else None) for k in kept]
        run = tf.while_loop(test, lambda *now: body(*known(now)), start, shape_invariants=sizes)
        return known(run)
