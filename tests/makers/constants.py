"""Pairs of a broken model with variables and a healthy one of the same weights, as constants.

NAME/source.tflite   the network for inference, as from_keras_model converts it
NAME/model.tflite    another instance, made later, in a tf.Module: broken
NAME/values.npz      the true value of each variable by shared name
NAME/io.npz          x and what the network answers
layers/half.tflite, layers/dynamic.tflite, layers/int8.tflite   quantized ways of source.tflite

In ``layers`` and ``text`` nothing can be folded into a constant; in the others something is, in
those named ``_there`` a layer that only the copy for inference has.
``layers`` has a signature that trains its last layer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import export, randomize, values

L = keras.layers


def layers() -> Any:
    x = inputs = keras.Input((8, 8, 3), batch_size=1)
    x = L.Conv2D(4, 3, activation="relu", padding="same")(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu")(x)
    x = L.SeparableConv2D(6, 3, activation="tanh")(x)
    x = L.Conv2DTranspose(5, 3, strides=2)(x)
    x = L.LayerNormalization()(x)
    x = L.ReLU()(L.Conv2D(7, 3, strides=2, use_bias=False)(x))
    x = L.Dense(11, activation="tanh")(L.Flatten()(x))
    x = L.Dense(12, use_bias=False, activation="sigmoid")(x)
    return keras.Model(inputs, L.Dense(3, activation="softmax", name="head")(x))


def text() -> Any:
    x = inputs = keras.Input((6,), batch_size=1, dtype="int32")
    x = L.Embedding(20, 8)(x)
    x = L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)])
    x = L.LayerNormalization()(x)
    x = L.Dense(5, activation="gelu")(x)
    return keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(x)))


def rows(shape: tuple[int, ...], *stack: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *stack])


def shared() -> Any:
    """A dense layer that is used twice, and once more another, with nothing between them."""
    inputs = keras.Input((4,))
    dense = L.Dense(4)
    return keras.Model(inputs, L.Dense(4)(dense(dense(inputs))))


IMAGE = (8, 8, 3)
NETWORKS: dict[str, Callable[[], Any]] = {
    "layers": layers,
    "text": text,
    "conv_bn": lambda: rows(
        IMAGE,
        L.Conv2D(4, 3, use_bias=False),
        L.BatchNormalization(),
        L.ReLU(),
        L.GlobalAveragePooling2D(),
        L.Dense(3),
    ),
    "conv_bias_bn": lambda: rows(IMAGE, L.Conv2D(4, 3), L.BatchNormalization()),
    "depthwise_bn": lambda: rows(IMAGE, L.DepthwiseConv2D(3), L.BatchNormalization()),
    "separable_bn": lambda: rows(IMAGE, L.SeparableConv2D(5, 3), L.BatchNormalization()),
    "transposed_bn": lambda: rows(IMAGE, L.Conv2DTranspose(4, 3), L.BatchNormalization()),
    "dense_bn": lambda: rows((8,), L.Dense(5), L.BatchNormalization(), L.Dense(3)),
    "bn_conv": lambda: rows(IMAGE, L.BatchNormalization(), L.Conv2D(4, 3)),
    "conv_times": lambda: rows(
        IMAGE,
        L.Conv2D(4, 3, activation="relu"),
        L.Conv2D(4, 3, use_bias=False, name="scaled"),
        L.Lambda(lambda x: x * 3.0),
        L.ReLU(),
        L.Conv2D(3, 3),
    ),
    "times_conv": lambda: rows(IMAGE, L.Rescaling(2.0), L.Conv2D(4, 3)),
    "times_dense_times": lambda: rows((8,), L.Rescaling(2.0), L.Dense(3), L.Rescaling(0.5)),
    "linear_row": lambda: rows((8,), L.Dense(8), L.Dense(8), L.Dense(8)),
    "shared": shared,
    "scaled_kernel": lambda: rows(
        (8,), L.Dense(4, activation="relu"), ScaledDense(3), L.ReLU(), L.Dense(2)
    ),
}


# Networks whose copy for inference has a layer more, which the converter folds away.
MORE: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "times_conv_there": (
        lambda: rows(IMAGE, L.Rescaling(2.0), L.Conv2D(4, 3, use_bias=False)),
        lambda: rows(IMAGE, L.Conv2D(4, 3, use_bias=False)),
    ),
    "times_dense_there": (
        lambda: rows((8,), L.Rescaling(2.0, -1.0), L.Dense(4), L.ReLU(), L.Dense(2)),
        lambda: rows((8,), L.Dense(4), L.ReLU(), L.Dense(2)),
    ),
    "dense_times_there": (
        lambda: rows((8,), L.Dense(4, use_bias=False), L.Rescaling(0.5), L.Softmax()),
        lambda: rows((8,), L.Dense(4, use_bias=False), L.Softmax()),
    ),
}


class ScaledDense(keras.layers.Layer):
    """A layer that uses its kernel times a constant: names and shapes do not tell."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, x: Any) -> Any:
        return keras.ops.matmul(x, self.kernel * 0.5)


class Broken(tf.Module):
    """The network with ``infer``, and with ``train`` where its last layer is a Dense."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        shape, dtype = net.inputs[0].shape, net.inputs[0].dtype
        self.spec = tf.TensorSpec((1, *shape[1:]), dtype)
        self.infer = tf.function(self._infer, input_signature=[self.spec])
        self.train = tf.function(self._train, input_signature=[self.spec])

    def _infer(self, x: Any) -> Any:
        return {"y": self.net(x, training=False)}

    def _train(self, x: Any) -> Any:
        head = self.net.layers[-1].trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.net(x, training=False) ** 2)
        for variable, gradient in zip(head, tape.gradient(loss, head), strict=True):
            variable.assign(variable - 0.01 * gradient)
        return {"loss": loss}


def make(out: Path) -> None:
    pairs = {**{name: (build, build) for name, build in NETWORKS.items()}, **MORE}
    for number, (name, (build_source, build)) in enumerate(pairs.items()):
        folder = out / name
        folder.mkdir()
        donor = build_source()
        randomize(donor.variables, seed=number)
        (folder / "source.tflite").write_bytes(converted(donor))
        L.Dense(1), L.Conv2D(1, 1), L.BatchNormalization()  # numbers move on
        net = build()
        net.set_weights(donor.get_weights())
        module = Broken(net)
        export(module, folder, ["infer", "train"] if name == "layers" else ["infer"])
        values(net.variables, folder)
        x = sample(module.spec, np.random.default_rng(number))
        np.savez(folder / "io.npz", x=x, y=module.infer(tf.constant(x))["y"].numpy())
        if name == "layers":
            quantized(donor, x, folder)


def converted(net: Any, **options: Any) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    for option, value in options.items():
        setattr(converter, option, value)
    return bytes(converter.convert())


def quantized(net: Any, x: Any, folder: Path) -> None:
    default: dict[str, Any] = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    (folder / "dynamic.tflite").write_bytes(converted(net, **default))
    spec = tf.lite.TargetSpec(supported_types=[tf.float16])
    (folder / "half.tflite").write_bytes(converted(net, **default, target_spec=spec))
    data = converted(net, **default, representative_dataset=lambda: iter([[x]]))
    (folder / "int8.tflite").write_bytes(data)


def sample(spec: Any, rng: np.random.Generator) -> Any:
    if spec.dtype.is_integer:
        return rng.integers(0, 20, spec.shape).astype("int32")
    return rng.uniform(-1, 1, spec.shape).astype("float32")
