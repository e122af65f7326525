"""Loops that read weights in each turn, broken by the converter as Keras 3's variables are.

recurrent   a bidirectional LSTM and a GRU, not unrolled
stateful    a GRU that keeps its state from call to call
nested      keras.Variables read in a tf.while_loop inside of another
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import export, randomize, values


class Layers(tf.Module):
    def __init__(self, net: Any, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.net = net
        self.infer = tf.function(self._infer, input_signature=[tf.TensorSpec(shape, tf.float32)])

    def _infer(self, x: Any) -> Any:
        return {"output": self.net(x, training=False)}


class Nested(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = keras.Variable(np.zeros((4, 4), np.float32), name="w")
        self.b = keras.Variable(np.zeros((4,), np.float32), name="bias")
        self.variables_ = [self.w, self.b]

    @tf.function(input_signature=[tf.TensorSpec([2, 4], tf.float32)])
    def infer(self, x: Any) -> Any:
        def inner(j: Any, y: Any) -> Any:
            return j + 1, tf.tanh(tf.matmul(y, tf.convert_to_tensor(self.w)))

        def outer(i: Any, y: Any) -> Any:
            _, y = tf.while_loop(lambda j, y: j < 3, inner, [tf.constant(0), y])
            return i + 1, y + tf.convert_to_tensor(self.b)

        _, y = tf.while_loop(lambda i, y: i < 2, outer, [tf.constant(0), x])
        return {"output": y}


def make(out: Path) -> None:
    lay = keras.layers
    recurrent = keras.Sequential(
        [
            lay.Input((5, 4)),
            lay.Bidirectional(lay.LSTM(6, return_sequences=True)),
            lay.GRU(6),
            lay.Dense(3),
        ]
    )
    stateful = keras.Sequential([lay.Input(batch_shape=(2, 5, 4)), lay.GRU(6, stateful=True)])
    nested = Nested()
    modules: dict[str, tuple[Any, list[Any]]] = {
        "recurrent": (Layers(recurrent, (2, 5, 4)), recurrent.variables),
        "stateful": (Layers(stateful, (2, 5, 4)), stateful.variables),
        "nested": (nested, nested.variables_),
    }
    rng = np.random.default_rng(3)
    for name, (module, variables) in modules.items():
        folder = out / name
        folder.mkdir()
        weights = [v for v in variables if "state" not in v.path]
        randomize(weights, 11)
        export(module, folder, ["infer"])
        values(variables, folder)
        shape = tuple(module.infer.input_signature[0].shape)
        x = rng.uniform(-1, 1, (3, *shape)).astype(np.float32)
        answers = [np.asarray(module.infer(tf.constant(row))["output"]) for row in x]
        np.savez(folder / "io.npz", x=x, output=np.stack(answers))
