"""Training modules of many kinds, broken by the real converter, with what eager TensorFlow does.

NAME/model.tflite    Keras 3 in a tf.Module with ``infer`` and ``train``, open batch: no values
NAME/values.npz      the true value of each variable by shared name
NAME/eager.npz       x, y; loss of the first step, ``infer`` before; per trained variable the first
                     step's gradient: ``g32/NAME`` in float32, ``g64/NAME`` in float64, and
                     ``noise/NAME``, how far float32 moves when x changes by 1e-7 up or down;
                     ``losses`` of five steps; ``a32/NAME``, ``a64/NAME``: averages after the first

Momentum makes the gradient visible: after one step it is -rate times the gradient.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import convert, pool_3d, randomize

L = keras.layers
RATE = 0.05
BATCH = 3
IMAGE = (8, 8, 3)
SERIES = (5, 4)
Builder = Callable[[], Any]
NETWORKS: dict[str, Builder] = {}
BATCHES: dict[str, int] = {}  # where it is not BATCH


def network(build: Builder) -> Builder:
    NETWORKS[build.__name__] = build
    return build


def rows(name: str, shape: tuple[int, ...], *layers: Callable[[], Any]) -> None:
    """A row of layers, built anew at each call; the last is a Dense of three."""

    def build() -> Any:
        x = inputs = keras.Input(shape)
        for make in layers:
            x = make()(x)
        if len(x.shape) > 2:
            x = L.Flatten()(x)
        return keras.Model(inputs, L.Dense(3)(x))

    NETWORKS[name] = build


rows("mlp", (6,), lambda: L.Dense(8, "relu"), lambda: L.Dense(5, "tanh"))
for activation in ("elu", "selu", "softplus", "softsign", "relu6", "leaky_relu", "swish", "gelu",
                   "hard_swish", "sigmoid", "exponential"):  # fmt: skip
    rows(f"dense_{activation}", (6,), partial(L.Dense, 8, activation), lambda: L.Dense(4))
rows(
    "cnn", IMAGE, lambda: L.Conv2D(4, 3, padding="same", activation="relu"),
    lambda: L.MaxPooling2D(),
    lambda: L.Conv2D(5, 3, strides=2, padding="same"), lambda: L.ReLU(6.0),
)  # fmt: skip
rows(
    "dilated", IMAGE, lambda: L.Conv2D(4, 3, dilation_rate=2, activation="tanh"),
    lambda: L.Conv2D(4, (1, 3), padding="same", dilation_rate=(1, 2)),
)  # fmt: skip
rows("grouped", (6, 6, 4), lambda: L.Conv2D(6, 3, groups=2, activation="relu"))
rows(
    "batch_norm", IMAGE, lambda: L.Conv2D(4, 3, use_bias=False), lambda: L.BatchNormalization(),
    lambda: L.Activation("tanh"), lambda: L.GlobalAveragePooling2D(),
)  # fmt: skip
rows(
    "depthwise", IMAGE, lambda: L.DepthwiseConv2D(3, depth_multiplier=2, activation="tanh"),
    lambda: L.DepthwiseConv2D(3, strides=2, padding="same"),
)  # fmt: skip
rows(
    "separable", IMAGE, lambda: L.SeparableConv2D(6, 3, padding="same", activation="tanh"),
    lambda: L.AveragePooling2D(3, 2, "same"),
)  # fmt: skip
rows("pools", IMAGE, lambda: L.Conv2D(4, 3), lambda: L.MaxPooling2D(3, 2, "same"),
     lambda: L.AveragePooling2D(2, 1))  # fmt: skip
rows("transposed", (4, 4, 3), lambda: L.Conv2DTranspose(4, 3, strides=2, activation="tanh"),
     lambda: L.Conv2D(2, 3))  # fmt: skip
rows("up_nearest", (4, 4, 3), lambda: L.Conv2D(3, 3, padding="same"), lambda: L.UpSampling2D(2),
     lambda: L.Conv2D(2, 3))  # fmt: skip
rows("up_bilinear", (4, 4, 3), lambda: L.Conv2D(3, 3, padding="same"),
     lambda: L.UpSampling2D(2, interpolation="bilinear"), lambda: L.Conv2D(2, 3))  # fmt: skip
rows("padded", IMAGE, lambda: L.Conv2D(3, 3), lambda: L.ZeroPadding2D(((1, 2), (0, 1))),
     lambda: L.Cropping2D(1), lambda: L.Conv2D(2, 2))  # fmt: skip
rows("conv1d", (9, 4), lambda: L.Conv1D(5, 3, padding="causal", activation="relu"),
     lambda: L.MaxPooling1D(2), lambda: L.Conv1D(3, 2))  # fmt: skip
rows("conv3d", (5, 6, 6, 2), lambda: L.Conv3D(3, 2, activation="relu"), partial(pool_3d, "Max"),
     lambda: L.Conv3D(2, 2, padding="same"))  # fmt: skip
rows("average3d", (5, 6, 6, 2), lambda: L.Conv3D(3, 2, activation="tanh"),
     partial(pool_3d, "Average"))  # fmt: skip
rows("layer_norm", SERIES, lambda: L.Dense(6), lambda: L.LayerNormalization())
rows("group_norm", (6, 6, 4), lambda: L.Conv2D(4, 3), lambda: L.GroupNormalization(2),
     lambda: L.PReLU(shared_axes=[1, 2]))  # fmt: skip
rows("lstm", SERIES, lambda: L.LSTM(4, unroll=True))
rows("lstm_loop", SERIES, lambda: L.LSTM(4))
rows("gru_loop", SERIES, lambda: L.GRU(4, return_sequences=True), lambda: L.GRU(3))
rows("simple_rnn_loop", SERIES, lambda: L.SimpleRNN(4))
rows("bidirectional", SERIES, lambda: L.Bidirectional(L.LSTM(3)))
rows("time_distributed", SERIES, lambda: L.TimeDistributed(L.Dense(4, "tanh")))


@network
def embedding() -> Any:
    inputs = keras.Input((5,), dtype="int32")
    x = L.Conv1D(4, 2, activation="relu")(L.Embedding(12, 6)(inputs))
    return keras.Model(inputs, L.Dense(3)(L.GlobalMaxPooling1D()(x)))


@network
def text() -> Any:
    """Padded tokens: 0 is masked, in a loop over time and in a mean."""
    inputs = keras.Input((6,), dtype="int32")
    x = L.GRU(4, return_sequences=True)(L.Embedding(12, 6, mask_zero=True)(inputs))
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling1D()(x)))


@network
def attention() -> Any:
    x = inputs = keras.Input((5, 8))
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
    x = L.Add()([x, L.Dense(8)(L.Dense(16, "gelu")(x))])
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling1D()(x)))


@network
def residual() -> Any:
    x = inputs = keras.Input(IMAGE)
    x = L.Conv2D(4, 3, padding="same")(x)
    for stride in (1, 2):
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, stride, padding="same")(x)))
        y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(y))
        x = L.ReLU()(L.Add()([y, L.Conv2D(4, 1, stride)(x)]))
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling2D()(x)))


@network
def squeeze_excite() -> Any:
    x = inputs = keras.Input(IMAGE)
    x = L.Conv2D(6, 3, padding="same", activation="swish")(x)
    s = L.Conv2D(2, 1, activation="relu")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.Multiply()([x, L.Conv2D(6, 1, activation="sigmoid")(s)])
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(x)))


@network
def unet() -> Any:
    inputs = keras.Input(IMAGE)
    a = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    b = L.Conv2D(4, 3, padding="same", activation="relu")(L.MaxPooling2D()(a))
    c = L.Concatenate()([L.Conv2DTranspose(4, 2, 2)(b), a])
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(L.Conv2D(2, 3, padding="same")(c))))


@network
def siamese() -> Any:
    tower = keras.Sequential([keras.Input((4,)), L.Dense(5, "tanh"), L.Dense(3)])
    inputs = keras.Input((8,))
    left, right = (L.Lambda(lambda t, s=s: t[:, s : s + 4])(inputs) for s in (0, 4))
    return keras.Model(inputs, L.Dense(3)(L.Subtract()([tower(left), tower(right)])))


# Averaged weights beside the trained ones: by Keras's optimizer, and by the module's own hand.
rows("ema", (6,), lambda: L.Dense(8, "relu"), lambda: L.Dense(5, "tanh"))
rows("swa", (6,), lambda: L.Dense(8, "tanh"), lambda: L.BatchNormalization(), lambda: L.Dense(5))


class Training(tf.Module):
    def __init__(self, name: str, dtype: str = "float32") -> None:
        super().__init__()
        net = self.net = NETWORKS[name]()
        ema = name == "ema"
        self.optimizer = keras.optimizers.SGD(RATE, momentum=0.9, use_ema=ema, ema_momentum=0.9)
        self.optimizer.build(net.trainable_variables)
        self.own: list[Any] = []
        if name == "swa":
            self.steps = tf.Variable(1, dtype=dtype, name="steps")
            zeros = [tf.zeros(v.shape, dtype) for v in net.trainable_variables]
            self.averages = [tf.Variable(z, name=f"average_{n}") for n, z in enumerate(zeros)]
            self.own = [self.steps, *self.averages]
        first = net.inputs[0]
        x = tf.TensorSpec(first.shape, first.dtype if "int" in first.dtype else dtype, name="x")
        y = tf.TensorSpec((None, 3), dtype, name="y")
        self.infer = tf.function(self._infer, input_signature=[x])
        self.train = tf.function(self._train, input_signature=[x, y])

    def _infer(self, x: Any) -> Any:
        return {"output": self.net(x, training=False)}

    def _train(self, x: Any, y: Any) -> Any:
        variables = self.net.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.net(x, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        if self.own:
            self.steps.assign_add(1)
            for average, v in zip(self.averages, variables, strict=True):
                average.assign_add((v - average) / self.steps)
        return {"loss": loss}

    def values(self) -> dict[str, Any]:
        """All variables by the names that a file gives them."""
        keras_own = {v.path: v for v in [*self.net.variables, *self.optimizer.variables]}
        return keras_own | {v.name.split(":")[0]: v for v in self.own}


def averages(module: Training) -> dict[str, Any]:
    return {k: np.array(v) for k, v in module.values().items() if "average" in k}


def gradients(module: Training) -> dict[str, Any]:
    """Minus momentum / rate: what the only step that was made had for gradients."""
    momenta = [v for v in module.optimizer.variables if v.path.endswith("_momentum")]
    pairs = zip(module.net.trainable_variables, momenta, strict=True)
    return {v.path: -np.asarray(m) / RATE for v, m in pairs}


def make_one(name: str, folder: Path) -> None:
    keras.backend.clear_session()
    _floats("float32")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    module = Training(name)
    randomize(module.net.variables, seed=1)
    start: dict[str, Any] = {path: np.array(v) for path, v in module.values().items()}
    batch = BATCHES.get(name, BATCH)
    shape = (batch, *module.net.inputs[0].shape[1:])
    integers = "int" in module.net.inputs[0].dtype
    x: Any = rng.integers(0, 12, shape) if integers else rng.normal(0, 1, shape)
    x = x.astype("int32" if integers else "float32")
    y = np.eye(3, dtype="float32")[rng.integers(0, 3, batch)]
    names = {k: getattr(module, k).get_concrete_function() for k in ("infer", "train")}
    tf.saved_model.save(module, str(folder / "saved_model"), signatures=names)
    (folder / "model.tflite").write_bytes(convert(folder / "saved_model", flex=True))
    np.savez(folder / "values.npz", **start)

    def again(images: Any) -> dict[str, Any]:
        for path, v in module.values().items():
            v.assign(start[path])
        module.train(images, y)
        return gradients(module)

    eager: dict[str, Any] = {"x": x, "y": y, "output": module.infer(x)["output"].numpy()}
    near = x if integers else (x * (1 + 1e-7 * rng.choice([-1, 1], shape))).astype("float32")
    g32, moved = again(x), again(near)
    again(x)
    a32 = averages(module)
    for path, v in module.values().items():
        v.assign(start[path])
    eager["losses"] = np.array([module.train(x, y)["loss"].numpy() for _ in range(5)])
    g64, a64 = exact(name, start, x if integers else x.astype("float64"), y)
    assert {value.dtype.name for value in g64} == {"float64"}
    for (path, value), judge in zip(g32.items(), g64, strict=True):
        eager[f"g32/{path}"], eager[f"g64/{path}"] = value, judge
        eager[f"noise/{path}"] = np.abs(moved[path] - value).max()
    for path, judge in zip(a32, a64, strict=True):
        eager[f"a32/{path}"], eager[f"a64/{path}"] = a32[path], judge
    np.savez(folder / "eager.npz", **eager)


def _floats(name: str) -> None:
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)  # which the first layer of all has fixed


def exact(name: str, start: dict[str, Any], x: Any, y: Any) -> tuple[list[Any], list[Any]]:
    """The gradients and the averages in float64."""
    _floats("float64")
    try:
        module = Training(name, "float64")
        for v, value in zip(module.values().values(), start.values(), strict=True):
            v.assign(value)
        module.train(x, y.astype("float64"))
        return list(gradients(module).values()), list(averages(module).values())
    finally:
        _floats("float32")


# What the tests take; benchmarks/training_modules.py takes all.
TESTED = (
    "dense_gelu", "cnn", "grouped", "batch_norm", "depthwise", "pools", "up_nearest", "conv3d",
    "lstm_loop", "embedding", "attention", "text", "ema", "swa",
)  # fmt: skip


def make(out: Path, names: tuple[str, ...] = TESTED) -> None:
    for name in names:
        folder = out / name
        folder.mkdir(parents=True)
        make_one(name, folder)
