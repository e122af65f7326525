"""Streaming: a GRU that remembers from call to call, and a signature that makes it forget."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import tflrepair


class Stream(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        keras.utils.set_random_seed(1)
        self.cell = keras.layers.GRUCell(8)
        self.cell.build((1, 4))
        self.state = tf.Variable(tf.zeros([1, 8]), name="state")

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    def step(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        out, (state,) = self.cell(x, [self.state])
        self.state.assign(state)
        return {"y": out}

    @tf.function(input_signature=[])
    def reset(self) -> dict[str, tf.Tensor]:
        self.state.assign(tf.zeros_like(self.state))
        return {"done": tf.constant(1)}


stream = Stream()
Path("stream.tflite").write_bytes(tflrepair.convert(stream))

interpreter = Interpreter("stream.tflite")
step, reset = (interpreter.get_signature_runner(name) for name in ("step", "reset"))
x = np.ones((1, 4), np.float32)
first, second = step(x=x)["y"].copy(), step(x=x)["y"].copy()
reset()
print("remembers:", not np.allclose(first, second))
print("forgets:", np.array_equal(first, step(x=x)["y"]))
