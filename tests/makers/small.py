"""A few Keras layers and Adam, everything in builtin operators: the quick version of the report.

Also the sample that the package ships for `tflrepair demo`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import export, randomize, values

BATCH = 8


def network() -> Any:
    return keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ],
        name="classifier",
    )


class Classifier(tf.Module):
    def __init__(self, weights: str) -> None:
        super().__init__()
        self.model = network()
        self.model.load_weights(weights)
        self.optimizer = keras.optimizers.Adam(1e-3)
        self.optimizer.build(self.model.trainable_variables)
        self.loss = keras.losses.CategoricalCrossentropy()

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    def infer(self, x: Any) -> Any:
        return {"output": self.model(x, training=False)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([BATCH, 4], tf.float32),
            tf.TensorSpec([BATCH, 3], tf.float32),
        ]
    )
    def train(self, x: Any, y: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.model(x, training=True))
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}


def make(out: Path) -> None:
    """broken model.tflite, classifier.weights.h5, values.npz, io.npz, training.npz."""
    trained = network()
    randomize(trained.variables, seed=4)
    trained.save_weights(out / "classifier.weights.h5")

    module = Classifier(str(out / "classifier.weights.h5"))
    export(module, out, ["infer", "train"])
    values([*module.model.variables, *module.optimizer.variables], out)

    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (BATCH, 4)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, BATCH)]
    answers = np.concatenate([module.infer(row[None])["output"].numpy() for row in x])
    np.savez(out / "io.npz", x=x, output=answers)
    losses = [float(module.train(x, y)["loss"]) for _ in range(10)]
    after = np.concatenate([module.infer(row[None])["output"].numpy() for row in x])
    np.savez(out / "training.npz", x=x, y=y, loss=np.array(losses), output=after)
