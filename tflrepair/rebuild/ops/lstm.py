"""Recurrent operators. Their state lives in variable tensors, which keep it between runs.

Order of inputs and the cell: tensorflow/lite/kernels/lstm_shared.h, lstm_eval.cc,
unidirectional_sequence_rnn.cc, basic_rnn.cc, svdf.cc.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.common import activate
from tflrepair.rebuild.ops.registry import op


@op("UNIDIRECTIONAL_SEQUENCE_LSTM", states=(18, 19))
def unidirectional_sequence_lstm(
    x: Any,
    *tensors: Any,
    fused_activation_function: str = "NONE",
    cell_clip: float = 0.0,
    proj_clip: float = 0.0,
    time_major: bool = False,
) -> Any:
    def step(row: Any, h: Any, c: Any) -> Any:
        return lstm_step(row, h, c, tensors, fused_activation_function, cell_clip, proj_clip)

    y, (h, c) = over_time(x, time_major, step, (tensors[17], tensors[18]))
    return y, h, c


@op("LSTM", states=(18, 19))
def lstm(
    x: Any,
    *tensors: Any,
    fused_activation_function: str = "NONE",
    cell_clip: float = 0.0,
    proj_clip: float = 0.0,
) -> Any:
    h, c = lstm_step(
        x, tensors[17], tensors[18], tensors, fused_activation_function, cell_clip, proj_clip
    )
    return h, h, c


def lstm_step(
    x: Any,
    h: Any,
    c: Any,
    tensors: tuple[Any, ...],
    activation: str,
    cell_clip: float,
    proj_clip: float,
) -> Any:
    """One step of an LSTM cell: the new output and cell state.

    ``tensors`` are the operator's inputs after the first; gates come in the order input, forget,
    cell, output. Without an input gate it is coupled to the forget gate.
    """
    weights, recurrent, peepholes = tensors[0:4], tensors[4:8], tensors[8:11]
    biases, projection, projection_bias = tensors[11:15], tensors[15], tensors[16]
    norms = (tensors[19:23] + (None,) * 4)[:4]

    def gate(k: int, peephole: Any, cell: Any) -> Any:
        z = tf.matmul(x, weights[k], transpose_b=True)
        z += tf.matmul(h, recurrent[k], transpose_b=True)
        if peephole is not None:
            z += peephole * cell
        if norms[k] is not None:
            mean, variance = tf.nn.moments(z, [-1], keepdims=True)
            z = (z - mean) * tf.math.rsqrt(variance + 1e-8) * norms[k]
        return z if biases[k] is None else z + biases[k]

    f = tf.sigmoid(gate(1, peepholes[1], c))
    i = 1.0 - f if weights[0] is None else tf.sigmoid(gate(0, peepholes[0], c))
    c = f * c + i * activate(gate(2, None, c), activation)
    if cell_clip > 0:
        c = tf.clip_by_value(c, -cell_clip, cell_clip)
    h = tf.sigmoid(gate(3, peepholes[2], c)) * activate(c, activation)
    if projection is not None:
        h = tf.matmul(h, projection, transpose_b=True)
        h = h if projection_bias is None else h + projection_bias
        if proj_clip > 0:
            h = tf.clip_by_value(h, -proj_clip, proj_clip)
    return h, c


@op("UNIDIRECTIONAL_SEQUENCE_RNN", states=(4,))
def unidirectional_sequence_rnn(
    x: Any,
    weights: Any,
    recurrent: Any,
    bias: Any,
    state: Any,
    *,
    time_major: bool = False,
    fused_activation_function: str = "NONE",
) -> Any:
    def step(row: Any, h: Any) -> Any:
        return (rnn_step(row, h, weights, recurrent, bias, fused_activation_function),)

    y, (h,) = over_time(x, time_major, step, (state,))
    return y, h


@op("RNN", states=(4,))
def rnn(
    x: Any,
    weights: Any,
    recurrent: Any,
    bias: Any,
    state: Any,
    *,
    fused_activation_function: str = "NONE",
) -> Any:
    h = rnn_step(x, state, weights, recurrent, bias, fused_activation_function)
    return h, h


def rnn_step(x: Any, h: Any, weights: Any, recurrent: Any, bias: Any, activation: str) -> Any:
    z = tf.matmul(x, weights, transpose_b=True) + tf.matmul(h, recurrent, transpose_b=True)
    return activate(z + bias, activation)


def over_time(x: Any, time_major: bool, step: Any, states: tuple[Any, ...]) -> Any:
    """``step`` over the time dimension: all outputs (its first state), and the last states."""
    x = x if time_major else tf.transpose(x, [1, 0, 2])
    count = tf.shape(x)[0]
    outputs = tf.TensorArray(x.dtype, count, element_shape=states[0].shape)

    def body(t: Any, outputs: Any, *now: Any) -> Any:
        now = step(x[t], *now)
        return (t + 1, outputs.write(t, now[0]), *now)

    _, outputs, *last = tf.while_loop(lambda t, *_: t < count, body, [0, outputs, *states])
    y = outputs.stack()
    return (y if time_major else tf.transpose(y, [1, 0, 2])), last


@op("SVDF", states=(4,))
def svdf(
    x: Any,
    feature: Any,
    time: Any,
    bias: Any,
    state: Any,
    *,
    rank: int = 0,
    fused_activation_function: str = "NONE",
) -> Any:
    filters, memory = time.shape
    history = tf.reshape(state, [-1, filters, memory])
    newest = tf.matmul(x, feature, transpose_b=True)
    history = tf.concat([history[:, :, 1:], newest[:, :, tf.newaxis]], 2)
    y = tf.reduce_sum(history * time, 2)
    y = tf.reduce_sum(tf.reshape(y, [-1, filters // rank, rank]), 2)
    y = y if bias is None else y + bias
    return activate(y, fused_activation_function), tf.reshape(history, tf.shape(state))
