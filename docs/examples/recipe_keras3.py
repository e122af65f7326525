"""A Keras 3 model that is trained on the device: convert it whole, train it under LiteRT."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tflrepair


class Classifier(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)]
        self.model = keras.Sequential([keras.Input((8,)), *layers])
        self.optimizer = keras.optimizers.Adam(0.01)
        self.optimizer.build(self.model.trainable_variables)  # else its slots come too late

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32)])
    def infer(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": self.model(x)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 8], tf.float32), tf.TensorSpec([None], tf.int32)]
    )
    def train(self, x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            scores = self.model(x, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=scores)
            loss = tf.reduce_mean(losses)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


# flex=False: no operator that a stock runtime lacks; get_weights and set_weights come with it.
content = tflrepair.convert(Classifier(), flex=False)
Path("classifier.tflite").write_bytes(content)

random = np.random.default_rng(0)
x = random.normal(size=(64, 8)).astype(np.float32)
y = x[:, :3].argmax(axis=1).astype(np.int32)
result = tflrepair.train("classifier.tflite", {"x": x, "y": y}, steps=60, out="trained.tflite")
print(f"loss {result.losses[0]:.2f} -> {result.losses[-1]:.2f}")
