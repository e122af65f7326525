"""Subclassed models whose attributes stand on both sides of ``layers``, the list Keras saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import convert, randomize

L = keras.layers
SIZE = (1, 4, 4, 1)
# Attribute -> what it is, in the order in which they are made and called
MODELS: dict[str, dict[str, Callable[[], Any]]] = {
    "dense": {"flat": L.Flatten, "dense": lambda: L.Dense(16, "relu"), "out": lambda: L.Dense(10)},
    "convolutions": {
        "conv1": lambda: L.Conv2D(4, 3, padding="same", activation="relu"),
        "pool": L.MaxPool2D,
        "conv2": lambda: L.Conv2D(4, 3, padding="same"),
        "norm": L.BatchNormalization,
        "flat": L.Flatten,
        "out": lambda: L.Dense(10),
    },
    "blocks": {
        "flat": L.Flatten,
        "blocks": lambda: keras.Sequential([L.Dense(16), L.Dense(12)]),
        "out": lambda: L.Dense(9),
        "zoom": lambda: keras.Sequential([L.Dense(7)]),
    },
    "alike": {"flat": L.Flatten, "dense": lambda: L.Dense(16, "relu"), "out": lambda: L.Dense(16)},
}


class Net(keras.Model):
    def __init__(self, parts: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.used = list(parts)
        for name, part in parts.items():
            setattr(self, name, part())

    def call(self, x: Any) -> Any:
        for name in self.used:
            x = getattr(self, name)(x)
        return x


class Holder(tf.Module):
    """Never called before it is exported, so its variables are made while TensorFlow traces."""

    def __init__(self, parts: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.model = Net(parts)

    @tf.function(input_signature=[tf.TensorSpec(SIZE, tf.float32)])
    def infer(self, x: Any) -> Any:
        return {"y": self.model(x)}


def make(out: Path) -> None:
    """For each of MODELS: NAME.tflite without values, NAME.weights.h5 and NAME.npz (x, y)."""
    x = np.linspace(0.1, 1, 16, dtype="float32").reshape(SIZE)
    for name, parts in MODELS.items():
        module = Holder(parts)
        module.infer(x)
        randomize(module.model.weights, seed=7)
        module.model.save_weights(out / f"{name}.weights.h5")
        np.savez(out / f"{name}.npz", x=x, y=module.infer(x)["y"].numpy())
        tf.saved_model.save(module, str(out / name), signatures={"infer": module.infer})
        (out / f"{name}.tflite").write_bytes(convert(out / name))
