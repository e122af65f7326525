"""What runs and inputs can meet: random numbers, log, indices, strings, endless loops, Flex.

odd.tflite           each oddity a signature
scaled.tflite        makers.plain.Healthy with other weights
unsigned.tflite      a model without signatures
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from makers.common import export
from makers.plain import Healthy


def spec(*shape: int | None, dtype: Any = tf.float32) -> Any:
    return tf.TensorSpec(list(shape), dtype)


class Odd(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.count = tf.Variable(0.0, name="count")
        pairs = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([10, 20], tf.int64))
        self.numbers = tf.lookup.StaticHashTable(pairs, default_value=-1)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), ["zero", "one"])
        self.words = tf.lookup.StaticHashTable(pairs, default_value="?")

    @tf.function(input_signature=[spec(3)])
    def sample(self, x: Any) -> Any:
        return {"out": x + tf.random.uniform([3])}

    @tf.function(input_signature=[spec(3)])
    def seeded(self, x: Any) -> Any:
        return {"out": x + tf.random.uniform([3], seed=5)}

    @tf.function(input_signature=[spec(None, 3)])
    def log(self, x: Any) -> Any:
        return {"out": tf.math.log(x)}

    @tf.function(input_signature=[spec(8, dtype=tf.int32)])
    def lookup(self, x: Any) -> Any:
        return {"out": tf.gather(tf.constant([5.0]), x)}

    @tf.function(input_signature=[spec(2, dtype=tf.string)])
    def number(self, word: Any) -> Any:
        return {"out": self.numbers.lookup(word)}

    @tf.function(input_signature=[spec(2, dtype=tf.int64)])
    def word(self, number: Any) -> Any:
        return {"out": self.words.lookup(number)}

    @tf.function(input_signature=[])
    def step(self) -> Any:
        self.count.assign_add(1.0)
        return {"out": self.count.read_value()}

    @tf.function(input_signature=[spec(dtype=tf.int32)])
    def endless(self, x: Any) -> Any:
        return {"out": tf.while_loop(lambda i: i >= 0, lambda i: [(i + 1) % 1000], [x])[0]}

    @tf.function(input_signature=[spec(2, 2)])
    def flex(self, x: Any) -> Any:
        return {"out": tf.cond(x[0, 0] > 0, lambda: tf.linalg.inv(x), lambda: x)}


def make(out: Path) -> None:
    """odd.tflite, scaled.tflite, unsigned.tflite, and io.npz: x and output of Healthy's infer."""
    module, healthy, scaled = Odd(), Healthy(), Healthy()
    scaled.w.assign(1.5 * scaled.w)
    names = ["sample", "seeded", "log", "lookup", "number", "word", "step", "endless", "flex"]
    for name, made, keys in (("odd", module, names), ("scaled", scaled, ["infer", "train"])):
        (out / name).mkdir()
        export(made, out / name, keys, flex=name == "odd")
        (out / name / "model.tflite").rename(out / f"{name}.tflite")
    function = tf.function(lambda x: (x * 2.0, tf.reduce_sum(x)), input_signature=[spec(None, 3)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    (out / "unsigned.tflite").write_bytes(converter.convert())
    x = np.random.default_rng(3).normal(0, 1, (1, 4)).astype(np.float32)
    np.savez(out / "io.npz", x=x, output=healthy.infer(x)["output"].numpy())
