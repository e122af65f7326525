"""Healthy and half-healthy modules, for what is not Keras 3's fault.

healthy.tflite       plain tf.Variables: every signature begins with CALL_ONCE
partial.tflite       a Keras layer beside a plain variable: CALL_ONCE is there, some values are not
order.tflite         a Keras layer whose `load` signature sets everything that `infer` reads
flow.tflite          a plain variable read in tf.cond and tf.while_loop
table.tflite         a static hash table and a plain variable
half.tflite          a float16 variable, which the converter leaves to the Flex delegate
twice.tflite         one value under two output names, which become one tensor
checkpoint.tflite    a Keras layer whose values only `restore` can set, and `save` reads
f16.tflite           plain variables, float16 conversion: initial values go through DEQUANTIZE
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import export, randomize

X = tf.TensorSpec([1, 4], tf.float32)


class Healthy(tf.Module):
    """A linear model with momentum, all in plain variables."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(7)
        self.w = tf.Variable(rng.normal(0, 1, (4, 3)).astype(np.float32), name="w")
        self.b = tf.Variable(rng.normal(0, 1, (3,)).astype(np.float32), name="b")
        self.m = tf.Variable(tf.zeros((4, 3)), name="momentum")
        self.steps = tf.Variable(0, dtype=tf.int64, name="steps")

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        return {"output": tf.matmul(x, self.w) + self.b}

    @tf.function(input_signature=[X, tf.TensorSpec([1, 3], tf.float32)])
    def train(self, x: Any, y: Any) -> Any:
        error = tf.matmul(x, self.w) + self.b - y
        self.m.assign(0.9 * self.m + tf.matmul(x, error, transpose_a=True))
        self.w.assign_sub(0.01 * self.m)
        self.b.assign_sub(0.01 * tf.reduce_sum(error, axis=0))
        self.steps.assign_add(1)
        return {"loss": tf.reduce_sum(error * error), "steps": self.steps.read_value()}


class Flow(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable([[2.0, 3.0, 5.0, 7.0]], name="w")

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        y = tf.cond(tf.reduce_sum(x) > 0, lambda: x * self.w, lambda: x - self.w)
        _, y = tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, y + self.w), [tf.constant(0), y]
        )
        self.w.assign_add(tf.ones_like(self.w))
        return {"output": y}


class Partial(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable([[1.0, 2.0, 3.0]], name="scale")
        self.dense = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
        randomize(self.dense.variables, 5)

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        self.scale.assign_add(tf.zeros_like(self.scale))
        return {"output": self.dense(x) * self.scale}


class Order(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        return {"output": self.dense(x)}

    @tf.function(
        input_signature=[tf.TensorSpec([4, 3], tf.float32), tf.TensorSpec([3], tf.float32)]
    )
    def load(self, kernel: Any, bias: Any) -> Any:
        self.dense.variables[0].assign(kernel)
        self.dense.variables[1].assign(bias)
        return {"done": tf.constant(1)}


class Table(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        keys, numbers = tf.constant([1, 2, 3], tf.int64), tf.constant(["a", "b", "c"])
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, numbers), default_value="?"
        )
        self.count = tf.Variable(1.0, name="count")

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int64)])
    def infer(self, x: Any) -> Any:
        self.count.assign_add(1.0)
        return {"output": self.table.lookup(x), "count": self.count.read_value()}


class Half(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.half = tf.Variable(np.arange(4, dtype=np.float16), name="half")
        self.w = tf.Variable([1.0, 2.0, 3.0, 4.0], name="w")

    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32)])
    def infer(self, x: Any) -> Any:
        self.half.assign_add(tf.cast(x, tf.float16))
        self.w.assign_add(x)
        return {"output": tf.cast(self.half.read_value(), tf.float32) + self.w}


class Twice(tf.Module):
    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        y = tf.nn.relu(x) * 2.0
        return {"logits": y, "scores": tf.identity(y)}


class Checkpoint(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        return {"output": self.dense(x)}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def save(self, path: Any) -> Any:
        rows = self.dense.variables
        tf.raw_ops.Save(filename=path, tensor_names=[v.path for v in rows], data=list(rows))
        return {"path": path}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def restore(self, path: Any) -> Any:
        for v in self.dense.variables:
            v.assign(
                tf.ensure_shape(
                    tf.raw_ops.Restore(file_pattern=path, tensor_name=v.path, dt=v.dtype), v.shape
                )
            )
        return {"path": path}


def make(out: Path) -> None:
    modules: dict[str, tuple[tf.Module, list[str]]] = {
        "healthy": (Healthy(), ["infer", "train"]),
        "partial": (Partial(), ["infer"]),
        "order": (Order(), ["infer", "load"]),
        "flow": (Flow(), ["infer"]),
        "table": (Table(), ["infer"]),
        "half": (Half(), ["infer"]),
        "twice": (Twice(), ["infer"]),
        "checkpoint": (Checkpoint(), ["infer", "save", "restore"]),
    }
    for name, (module, signatures) in modules.items():
        folder = out / name
        folder.mkdir()
        export(module, folder, signatures, flex=name in ("half", "checkpoint"))
        (folder / "model.tflite").rename(out / f"{name}.tflite")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(out / "healthy" / "saved_model"))
    converter.experimental_enable_resource_variables = True
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    (out / "f16.tflite").write_bytes(converter.convert())
    partial: dict[str, Any] = {v.path: np.asarray(v) for v in modules["partial"][0].dense.variables}
    np.savez(out / "partial.npz", **partial)
