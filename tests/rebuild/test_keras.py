"""Broken training models of several architectures: the rebuilt module trains like eager Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from makers.common import convert, randomize
from running import Session

from rebuild.single import load_emitted
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import Model, from_bytes
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
layers = keras.layers
BATCH = 3


def convolutional() -> list[Any]:
    return [
        layers.Input((8, 8, 2)),
        layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(6.0),
        layers.SeparableConv2D(6, 3, padding="same", activation="silu"),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="elu"),
        layers.MaxPooling2D(2),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(5),
    ]


def recurrent() -> list[Any]:
    return [
        layers.Input((4, 3), batch_size=BATCH),
        layers.GRU(6, return_sequences=True, unroll=True),
        layers.LSTM(5, unroll=True),
        layers.Dense(5),
    ]


def attention() -> list[Any]:
    class Attend(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.MultiHeadAttention(2, 4)
            self.norm = layers.LayerNormalization()

        def build(self, shape: Any) -> None:
            self.inner.build(shape, shape)
            self.norm.build(shape)

        def call(self, x: Any) -> Any:
            return self.norm(x + self.inner(x, x))

    return [
        layers.Input((4,), dtype="int32"),
        layers.Embedding(10, 8),
        Attend(),
        layers.GlobalAveragePooling1D(),
        layers.Dense(5, activation="silu"),
    ]


ARCHITECTURES: dict[str, tuple[Callable[[], list[Any]], Callable[[Any], Any]]] = {
    "convolutional": (convolutional, lambda rng: rng.normal(0, 1, (BATCH, 8, 8, 2))),
    "recurrent": (recurrent, lambda rng: rng.normal(0, 1, (BATCH, 4, 3))),
    "attention": (attention, lambda rng: rng.integers(0, 10, (BATCH, 4))),
}


class Trainer(tf.Module):
    def __init__(self, made: list[Any], seed: int) -> None:
        super().__init__()
        self.model = keras.Sequential(made)
        randomize(self.model.variables, seed)
        self.optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
        self.optimizer.build(self.model.trainable_variables)

    def infer(self, x: Any) -> Any:
        return {"y": self.model(x, training=False)}

    def train(self, x: Any, y: Any) -> Any:
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(x, training=True) - y))
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}

    def values(self) -> dict[str, Any]:
        every = [*self.model.variables, *self.optimizer.variables]
        return {v.path: v.value.numpy() for v in every}


def broken(trainer: Trainer, x: Any, y: Any, folder: Path) -> Model:
    specs = [tf.TensorSpec(a.shape, a.dtype, name=n) for n, a in (("x", x), ("y", y))]
    functions = {
        "infer": tf.function(trainer.infer, input_signature=specs[:1]).get_concrete_function(),
        "train": tf.function(trainer.train, input_signature=specs).get_concrete_function(),
    }
    tf.saved_model.save(trainer, str(folder), signatures=functions)
    return from_bytes(convert(folder, flex=True))


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_trains_like_keras(name: str, tmp_path: Path) -> None:
    make, draw = ARCHITECTURES[name]
    rng = np.random.default_rng(11)
    x = draw(rng)
    x = x.astype(np.int32 if x.dtype.kind == "i" else np.float32)
    y = rng.normal(0, 1, (BATCH, 5)).astype(np.float32)
    trainer = Trainer(make(), seed=2)
    model = broken(trainer, x, y, tmp_path / "saved_model")
    known = trainer.values()
    values = {v.key: known[v.name] for v in analyse(model).variables}
    assert values and all(isinstance(key, ResourceId) for key in values)

    before = trainer.infer(x)["y"].numpy()
    losses = [float(trainer.train(x, y)["loss"]) for _ in range(5)]
    after = trainer.infer(x)["y"].numpy()
    assert losses[-1] < losses[0]

    ask, step = ("infer", {"x": x}), ("train", {"x": x, "y": y})
    rebuilt = rebuild_from_tflite(model, values)
    emitted = load_emitted(model, values, tmp_path / "emitted.py").TheModelModule()
    calls = [ask, *[step] * 5, ask]
    for answers in (
        run_reference(model, values, calls),
        run_reference(from_bytes(rebuilt), {}, calls),
        [getattr(emitted, key)(**inputs) for key, inputs in calls],
    ):
        np.testing.assert_allclose(answers[0]["y"], before, atol=1e-4)
        np.testing.assert_allclose([float(a["loss"]) for a in answers[1:6]], losses, rtol=1e-4)
        np.testing.assert_allclose(answers[6]["y"], after, atol=1e-4)
    np.testing.assert_allclose(Session(rebuilt).run("infer", x=x)["y"], before, atol=1e-4)
