"""What public training modules have in common: see samples.py."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Arrays = dict[str, Any]


def floats() -> Any:
    """float32, as users have it; float64 where that is the judge."""
    return tf.as_dtype(keras.config.floatx())


class Trained(tf.Module):
    """A Keras model with signatures ``train``, ``infer``, and checkpoints inside the graph."""

    def __init__(self, net: Any, optimizer: Any, loss: Callable[..., Any], y: Any) -> None:
        super().__init__()
        self.net, self.optimizer, self.loss = net, optimizer, loss
        self.optimizer.build(self.trained())
        first = net.inputs[0]
        kind = first.dtype if "int" in first.dtype else floats()
        x = tf.TensorSpec((None, *first.shape[1:]), kind, name="x")
        path = tf.TensorSpec([], tf.string, name="checkpoint_path")
        self.functions: Any = UserDict(  # a SavedModel tracks no UserDict
            {
                "train": tf.function(self.train, input_signature=[x, y]),
                "infer": tf.function(self.infer, input_signature=[x]),
                "save": tf.function(self.save, input_signature=[path]),
                "restore": tf.function(self.restore, input_signature=[path]),
            }
        )

    def trained(self) -> list[Any]:
        return list(self.net.trainable_variables)

    def train(self, x: Any, y: Any) -> Arrays:
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.net(x, training=True))
        self.step(tape.gradient(loss, self.trained()))
        return {"loss": loss}

    def step(self, slopes: Any) -> None:
        self.optimizer.apply_gradients(zip(slopes, self.trained(), strict=True))

    def infer(self, x: Any) -> Arrays:
        logits = self.net(x, training=False)
        return {"output": tf.nn.softmax(logits), "logits": logits}

    def save(self, checkpoint_path: Any) -> Arrays:
        weights = self.net.weights
        tf.raw_ops.Save(
            filename=checkpoint_path,
            tensor_names=[weight.path for weight in weights],
            data=[weight.value.read_value() for weight in weights],
        )
        return {"checkpoint_path": checkpoint_path}

    def restore(self, checkpoint_path: Any) -> Arrays:
        found = {}
        for weight in self.net.weights:
            found[weight.path] = tf.raw_ops.Restore(
                file_pattern=checkpoint_path, tensor_name=weight.path, dt=floats()
            )
            weight.assign(tf.ensure_shape(found[weight.path], weight.shape))
        return {str(n): value for n, value in enumerate(found.values())}


def one_hot(classes: int) -> Any:
    return tf.TensorSpec((None, classes), floats(), name="y")


def row(shape: tuple[int, ...], *layers: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *layers])


def with_parameters(module: Any) -> Any:
    """Weights come out and go in as tensors instead of files."""
    weights = module.net.weights

    def parameters() -> Arrays:
        return {f"a{n}": weight.value.read_value() for n, weight in enumerate(weights)}

    def restore(**values: Any) -> Arrays:
        for n, weight in enumerate(weights):
            weight.assign(values[f"a{n}"])
        return parameters()

    specs = {f"a{n}": tf.TensorSpec(w.shape, floats(), name=f"a{n}") for n, w in enumerate(weights)}
    module.functions |= {
        "parameters": tf.function(parameters, input_signature=[]),
        "restore": tf.function(restore).get_concrete_function(**specs),
    }
    del module.functions["save"]
    return module
