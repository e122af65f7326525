"""A KV cache: one variable that grows by a row at each step of decoding."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import tflrepair

LENGTH, WIDTH = 16, 4


class Decoder(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = tf.Variable(
            tf.random.stateless_normal([WIDTH, WIDTH], [1, 2]), name="project"
        )
        self.cache = tf.Variable(tf.zeros([LENGTH, WIDTH]), name="cache")

    @tf.function(
        input_signature=[tf.TensorSpec([1, WIDTH], tf.float32), tf.TensorSpec([], tf.int32)]
    )
    def step(self, x: tf.Tensor, position: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tf.one_hot([position], LENGTH, axis=0)  # [LENGTH, 1]; no scatter, runs everywhere
        cache = self.cache * (1 - row) + row * (x @ self.project)
        self.cache.assign(cache)
        seen = tf.range(LENGTH) <= position
        scores = tf.where(seen, tf.reduce_sum(cache * x, axis=1), -1e9)
        return {"y": tf.reduce_sum(tf.nn.softmax(scores)[:, None] * cache, axis=0)}


decoder = Decoder()
Path("decoder.tflite").write_bytes(tflrepair.convert(decoder))

step = Interpreter("decoder.tflite").get_signature_runner("step")
random = np.random.default_rng(0)
worst = 0.0
for position in range(LENGTH):
    x = random.normal(size=(1, WIDTH)).astype(np.float32)
    wanted = decoder.step(tf.constant(x), tf.constant(position))["y"].numpy()
    got = step(x=x, position=np.int32(position))["y"]
    worst = max(worst, float(np.abs(got - wanted).max()))
print(f"largest difference over {LENGTH} steps: {worst:.1g}")
