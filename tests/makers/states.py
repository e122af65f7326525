"""Modules with variables that no file of weights holds: what is remembered, counted, adapted.

A folder for each: model.tflite (broken), saved_model, w.weights.h5, calls.npz (see makers.calls).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras import ops

from makers.calls import Call, Holder, keep
from makers.common import randomize

RANDOM = np.random.default_rng(12)


def numbers(*shape: int) -> Any:
    return RANDOM.normal(0, 1, shape).astype("float32")


def infer(model: Any, *shape: int, **parts: Any) -> tuple[Holder, list[Call]]:
    module = Holder(model=model, **parts)
    module.add("infer", lambda x: {"y": model(x)}, x=shape)
    return module, [("infer", {"x": numbers(*shape)}) for _ in range(4)]


def recurrent() -> Any:
    """Every recurrent layer of Keras, stateful."""
    inputs = L.Input(batch_shape=(1, 3, 4))
    x = L.GRU(5, stateful=True, return_sequences=True)(inputs)
    x = L.Bidirectional(L.LSTM(3, stateful=True, return_sequences=True))(x)
    x = L.SimpleRNN(4, stateful=True, return_sequences=True, name="simple")(x)
    x = L.RNN([L.SimpleRNNCell(5), L.LSTMCell(2)], stateful=True)(x)
    return keras.Model(inputs, L.Dense(2, name="out")(x), name="net")


class Cell(L.Layer):
    """A recurrent cell of somebody's own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = self.output_size = 3

    def build(self, shape: Any) -> None:
        self.inner = self.add_weight(name="inner", shape=(shape[-1], 3))

    def call(self, x: Any, states: Any) -> Any:
        new = ops.tanh(x @ self.inner + 0.5 * states[0])
        return new, [new]


def own_cell() -> Any:
    inputs = L.Input(batch_shape=(1, 3, 4))
    return keras.Model(inputs, L.RNN(Cell(), stateful=True, name="rnn")(inputs), name="net")


def dense() -> Any:
    layers = [L.Input((4,)), L.Dense(4, name="k"), L.Dense(3, name="o")]
    return keras.Sequential(layers, name="net")


def memory(how: str) -> tuple[Holder, list[Call]]:
    """A cache that is filled place by place, a counter of the place, and a sum."""
    model = dense()
    randomize(model.variables, seed=3)
    cache = keras.Variable(np.zeros((1, 6, 4), "f"), name="cache", trainable=False)
    place = keras.Variable(0, dtype="int32", name="place", trainable=False)
    seen = keras.Variable(0.0, name="seen", trainable=False)
    module = Holder(model=model, cache=cache, place=place, seen=seen)

    def step(x: Any) -> Any:
        key, at = model.layers[0](x)[:, None, :], place.value
        if how == "slice":
            cache.assign(ops.slice_update(cache.value, [0, at, 0], key))
        elif how == "mask":
            mask = tf.one_hot(at, 6)[None, :, None]
            cache.assign(cache.value * (1 - mask) + key * mask)
        elif how == "where":
            here = tf.equal(tf.range(6), at)[None, :, None]
            cache.assign(tf.where(here, tf.tile(key, [1, 6, 1]), cache.value))
        elif how == "shift":
            cache.assign(tf.concat([cache.value[:, 1:], key], 1))
        else:  # nobody can tell from this how it starts
            cache.assign(0.9 * cache.value + 0.1 * key)
        place.assign(place.value + 1)
        seen.assign(seen.value + tf.reduce_sum(x))
        return {"y": model.layers[1](tf.reduce_sum(cache.value, 1)) + seen.value}

    module.add("step", step, x=[1, 4])
    return module, [("step", {"x": numbers(1, 4)}) for _ in range(4)]


def counted() -> tuple[Holder, list[Call]]:
    """Metrics of Keras, which keep a total and a count."""
    model, mean, error = (
        dense(),
        keras.metrics.Mean(name="average"),
        keras.metrics.MeanAbsoluteError(),
    )
    randomize(model.variables, seed=3)
    kept = [*mean.variables, *error.variables]
    module = Holder(model=model, kept=kept)

    def evaluate(x: Any, y: Any) -> Any:
        answer = model(x)
        mean.update_state(answer)
        error.update_state(y, answer)
        return {"mean": mean.result(), "error": error.result()}

    module.add("evaluate", evaluate, x=[2, 4], y=[2, 3])
    return module, [("evaluate", {"x": numbers(2, 4), "y": numbers(2, 3)}) for _ in range(3)]


def half(dtype: str) -> Any:
    """Variables of 16 bits, which live in the Flex delegate."""
    layers = [
        L.Input((4,)),
        L.Dense(5, "relu", dtype=dtype, name="a"),
        L.Dense(3, dtype=dtype, name="b"),
        L.Activation("linear", dtype="float32"),
    ]
    return keras.Sequential(layers, name="net")


def adapted() -> Any:
    """LoRA on every layer that can have it."""
    inputs = L.Input((6,))
    x = L.Embedding(10, 8, name="e")(inputs)
    x = L.Conv1D(4, 3, padding="same", name="c")(x)
    x = L.EinsumDense("abc,cd->abd", (6, 5), bias_axes="d", name="ed")(x)
    x = L.MultiHeadAttention(2, 4, name="mha")(x, x)
    x = L.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, L.Dense(2, name="o")(x), name="net")
    for layer in model._flatten_layers():
        if hasattr(layer, "enable_lora"):
            layer.enable_lora(2)
    return model


def cased() -> Any:
    """Layers and models whose names differ by case only."""

    def block(name: str, x: Any) -> Any:
        inner = L.Input((4,))
        y = L.Dense(4, name="d2")(L.Dense(4, "tanh", name="d1")(inner))
        return keras.Model(inner, y, name=name)(x)

    inputs = L.Input((4,))
    x = L.Subtract()([block("Enc", inputs), block("enc", inputs)])
    x = L.Multiply()([L.Dense(4, name=name)(x) for name in ("AA", "Aa", "aa")])
    return keras.Model(inputs, L.Dense(3, name="out")(x), name="net")


class Attention(keras.Model):
    """Queries and keys as attributes that differ by case only."""

    def __init__(self) -> None:
        super().__init__(name="attention")
        self.Q, self.q = L.Dense(4, name="Q"), L.Dense(4, name="q")
        self.out = L.Dense(3, name="out")

    def call(self, x: Any) -> Any:
        return self.out(self.Q(x) * 2 - self.q(x))


def save(model: Any, folder: Path, whole: bool = False) -> None:
    model.save_weights(folder / "w.weights.h5")
    if whole:
        model.save(folder / "model.keras")
        model.save(folder / "model.h5")


def make(out: Path) -> None:
    for name, network in (("recurrent", recurrent), ("own_cell", own_cell)):
        keras.backend.clear_session()
        model = network()
        randomize(model.trainable_variables, seed=6)
        module, calls = infer(model, 1, 3, 4)
        keep(module, out / name, calls)
        save(model, out / name)
    for how in ("slice", "mask", "where", "shift", "decay"):
        keras.backend.clear_session()
        module, calls = memory(how)
        keep(module, out / how, calls)
        save(module.model, out / how)
    keras.backend.clear_session()
    module, calls = counted()
    keep(module, out / "counted", calls)
    save(module.model, out / "counted")

    for dtype in ("float16", "bfloat16"):
        keras.backend.clear_session()
        model = half(dtype)
        randomize(model.variables, seed=9)
        module, calls = infer(model, 1, 4)
        keep(module, out / dtype, calls, flex=True)
        save(model, out / dtype)
        wide = {v.path: np.asarray(v).astype("float32") + np.float32(1e-6) for v in model.variables}
        np.savez(out / dtype / "wide.npz", allow_pickle=False, **wide)

    keras.backend.clear_session()
    model = adapted()
    randomize(model.variables, seed=7)
    x = np.arange(6, dtype="float32")[None]
    keep(infer(model, 1, 6)[0], out / "adapted", [("infer", {"x": x})])
    save(model, out / "adapted", whole=True)
    for name, network in (("cased", cased), ("attention", Attention)):
        keras.backend.clear_session()
        model = network()
        model(np.zeros((1, 4), "f"))
        randomize(model.variables, seed=8)
        module, calls = infer(model, 1, 4)
        keep(module, out / name, calls)
        save(model, out / name, whole=name == "cased")
