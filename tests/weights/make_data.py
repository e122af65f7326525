"""Make tests/weights/data with real Keras and TensorFlow: python tests/weights/make_data.py

For each model: ``model.tflite`` broken by the real converter, the weights of a donor in the forms
that Keras writes (made before the model, so that Keras's numbers differ), ``by_path.npz`` with
the model's own weights, and ``io.npz`` with an input and Keras's answer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from makers.common import convert  # noqa: E402

layers = keras.layers


def row() -> Any:
    """Layers of one shape in a row, with BatchNormalization between."""
    x = inputs = keras.Input((4,))
    for _ in range(4):
        x = layers.BatchNormalization()(layers.Dense(4, "tanh")(x))
    return keras.Model(inputs, x)


def parallel() -> Any:
    """Branches of one shape, joined in another order than made."""
    i = keras.Input((4,))
    a, b, c = (layers.Dense(4, f)(i) for f in ("relu", "tanh", "sigmoid"))
    return keras.Model(i, layers.Concatenate()([c, a, b]))


def towers() -> Any:
    """Two models whose layers have the same names."""

    def tower() -> Any:
        i = keras.Input((4,))
        return keras.Model(i, layers.Dense(4, name="out")(layers.Dense(4, "tanh", name="in")(i)))

    i = keras.Input((4,))
    return keras.Model(i, layers.Concatenate()([tower()(i), tower()(i)]))


class Block(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.d1, self.d2 = layers.Dense(4, "tanh"), layers.Dense(4)

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(4,), name="scale", initializer="ones")
        self.d1.build(shape)
        self.d2.build(shape)

    def call(self, x: Any) -> Any:
        return x + self.d2(self.d1(x)) * self.scale


class Net(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = layers.Dense(4, "tanh"), layers.Dense(4)
        self.blocks = [Block(), Block()]

    def call(self, x: Any) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def subclassed() -> Any:
    """A subclassed model, built by calling it: its variables' names lack the layers."""
    net = Net()
    net(np.zeros((1, 4), "float32"))
    return net


def make(build: Any) -> None:
    out = DATA / build.__name__
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(build.__name__))
    keras.backend.clear_session()
    donor = build()
    for variable in donor.variables:
        low = 0.5 if variable.path.endswith(("variance", "gamma", "scale")) else -1.0
        variable.assign(rng.uniform(low, 1.5, variable.shape))
    donor.save_weights(out / "donor.weights.h5")
    donor.save(out / "donor.keras")
    donor.save(out / "donor.h5")
    [layers.Dense(1), layers.Dense(1), layers.BatchNormalization(), Block()]
    net = build()
    net.set_weights(donor.get_weights())
    arrays = {v.path: v.numpy() for v in net.variables}
    if len(arrays) == len(net.variables):
        np.savez(out / "by_path.npz", **arrays)
    module = tf.Module()
    module.net = net
    module.infer = tf.function(
        lambda x: {"y": net(x, training=False)}, input_signature=[tf.TensorSpec((2, 4))]
    )
    x = rng.uniform(-1, 1, (2, 4)).astype("float32")
    np.savez(out / "io.npz", x=x, y=module.infer(x)["y"])
    with tempfile.TemporaryDirectory() as folder:
        signatures = {"infer": module.infer.get_concrete_function()}
        tf.saved_model.save(module, folder, signatures=signatures)
        (out / "model.tflite").write_bytes(convert(Path(folder)))


if __name__ == "__main__":
    for one in (row, parallel, towers, subclassed):
        make(one)
