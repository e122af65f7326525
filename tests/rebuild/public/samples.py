"""Training modules in the manner of public ones: the same layers, losses, optimizers, signatures.

Written anew and made small; ``SAMPLES`` names where each manner was seen. What draws random numbers
(dropout, masks) is at a rate of 0, so that steps can be compared.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rebuild.public import more
from rebuild.public.base import Arrays, Trained, floats, one_hot, row, with_parameters

L = keras.layers


@dataclass(frozen=True)
class Sample:
    """One manner.

    Attributes:
        source: where it was seen.
        has: what of it is unlike the others.
        build: makes the module; ``module.net`` is the Keras model whose weights a user has.
        batch: examples of a step.
        sets: variables, besides the learning rate, that no weights file holds.
        check: the user has to tell what the Python model answers, for the weights to be certain.
    """

    source: str
    has: str
    build: Callable[[], Any]
    batch: int = 4
    sets: tuple[str, ...] = ()
    check: bool = False


def overview() -> Any:
    net = row((28, 28), L.Flatten(), L.Dense(128, "relu"), L.Dense(10))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    return Trained(net, keras.optimizers.SGD(0.01), loss, one_hot(10))


def budget() -> Any:
    net = row((12,), L.Dense(256, "relu"), L.Dense(1))
    loss = keras.losses.MeanSquaredError()
    return Trained(net, keras.optimizers.Adam(0.001), loss, one_hot(1))


def decayed() -> Any:
    net = row((28, 28, 3), L.Flatten(), L.Dense(128, "relu"), L.Dense(10))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=4e-5)
    module = Trained(net, optimizer, loss, one_hot(10))

    def test(x: Any, y: Any) -> Arrays:
        logits = net(x)
        best = tf.argmax(y, 1, output_type=tf.int32)
        five = tf.equal(tf.nn.top_k(logits, 5).indices, best[:, None])
        return {"loss": loss(y, logits), "top5": tf.reduce_sum(tf.cast(five, tf.int32))}

    specs = module.functions["train"].input_signature
    module.functions["test"] = tf.function(test, input_signature=specs)
    del module.functions["restore"]
    return module


def regression() -> Any:
    loss = keras.losses.MeanSquaredError()
    net = row((2,), L.Dense(1, name="regression"))
    return with_parameters(Trained(net, keras.optimizers.SGD(1e-3), loss, one_hot(1)))


def _cifar() -> Any:
    return row(
        (32, 32, 3), L.Conv2D(6, 5, activation="relu"), L.MaxPooling2D(2),
        L.Conv2D(16, 5, activation="relu"), L.Flatten(), L.Dense(120, "relu"),
        L.Dense(84, "relu"), L.Dense(10, "softmax"),
    )  # fmt: skip


def federated() -> Any:
    loss = keras.losses.CategoricalCrossentropy()
    return with_parameters(Trained(_cifar(), keras.optimizers.SGD(0.01), loss, one_hot(10)))


def proximal() -> Any:
    net = _cifar()

    def loss(y: Any, found: Any) -> Any:
        squares = [tf.reduce_sum(tf.square(w)) for w in net.trainable_weights]
        entropy = keras.losses.categorical_crossentropy(y, found)
        return tf.reduce_mean(entropy + 0.005 * tf.reduce_sum(squares))

    return with_parameters(Trained(net, keras.optimizers.SGD(0.01), loss, one_hot(10)))


def recurrent() -> Any:
    layers = []
    for size in (2, 2, 1):
        layers += [L.Conv1D(7, size), L.BatchNormalization()]
    layers.append(L.Dense(4, "relu"))
    for _ in range(3):
        layers += [L.LSTM(7, return_sequences=True), L.Dropout(0.0)]
    net = row((6, 7), *layers, L.Conv1D(7, 4), L.Dense(1, "relu"))
    y = tf.TensorSpec((None, 1, 1), floats(), name="y")
    loss = keras.losses.MeanSquaredError()
    return with_parameters(Trained(net, keras.optimizers.RMSprop(0.001), loss, y))


class Personalized(tf.Module):
    """A head of two plain variables on what a network that stands still has found."""

    def __init__(self) -> None:
        super().__init__()
        self.net = keras.applications.MobileNetV2(
            (32, 32, 3), alpha=0.35, include_top=False, weights=None
        )
        self.ws = tf.Variable(tf.zeros((1280, 4), floats()), name="ws")
        self.bs = tf.Variable(tf.zeros((1, 4), floats()), name="bs")
        self.optimizer = keras.optimizers.Adam(0.001)
        self.optimizer.build([self.ws, self.bs])
        self.loss = keras.losses.CategoricalCrossentropy()
        image = tf.TensorSpec((None, 32, 32, 3), floats(), name="feature")
        found = tf.TensorSpec((None, 1280), floats(), name="x")
        path = tf.TensorSpec([], tf.string, name="checkpoint_path")
        self.functions: Any = UserDict(  # a SavedModel tracks no UserDict
            {
                "load": tf.function(self.load, input_signature=[image]),
                "train": tf.function(self.train, input_signature=[found, one_hot(4)]),
                "infer": tf.function(self.infer, input_signature=[image]),
                "save": tf.function(self.save, input_signature=[path]),
                "initialize": tf.function(self.initialize, input_signature=[]),
            }
        )

    def load(self, feature: Any) -> Arrays:
        x = keras.applications.mobilenet_v2.preprocess_input(feature * 255)
        return {"bottleneck": tf.reshape(self.net(x, training=False), (-1, 1280))}

    def train(self, x: Any, y: Any) -> Arrays:
        with tf.GradientTape() as tape:
            found = tf.nn.softmax(x @ self.ws + self.bs)
            loss = self.loss(found, y)  # the two are exchanged where this was seen, too
        slopes = tape.gradient(loss, [self.ws, self.bs])
        self.optimizer.apply_gradients(zip(slopes, [self.ws, self.bs], strict=True))
        return {"loss": loss, "slope_w": slopes[0], "slope_b": slopes[1]}

    def infer(self, feature: Any) -> Arrays:
        return {"output": tf.nn.softmax(self.load(feature)["bottleneck"] @ self.ws + self.bs)}

    def save(self, checkpoint_path: Any) -> Arrays:
        data = [self.ws.read_value(), self.bs.read_value()]
        tf.raw_ops.Save(filename=checkpoint_path, tensor_names=["ws", "bs"], data=data)
        return {"checkpoint_path": checkpoint_path}

    def initialize(self) -> Arrays:
        self.ws.assign(tf.random.uniform((1280, 4), dtype=floats()))
        self.bs.assign(tf.random.uniform((1, 4), dtype=floats()))
        return {"ws": self.ws.read_value(), "bs": self.bs.read_value()}


class Incremental(Trained):
    """Only the head learns, by hand: clipped slopes, a rate that is a variable."""

    def __init__(self) -> None:
        base = keras.applications.MobileNetV2(
            (32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
        )
        base.trainable = False
        x = L.Dense(64, "relu")(base.output)
        net = keras.Model(base.input, L.Dense(4)(L.Dropout(0.0)(L.Dense(32, "relu")(x))))
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        self.rate = tf.Variable(3e-4, trainable=False, name="rate", dtype=floats())
        super().__init__(net, keras.optimizers.SGD(), loss, one_hot(4))
        flat = tf.TensorSpec([None], floats(), name="flat")
        self.functions |= {
            "save": tf.function(self.flat, input_signature=[]),
            "restore": tf.function(self.unflat, input_signature=[flat]),
        }

    def step(self, slopes: Any) -> None:
        for weight, slope in zip(self.trained(), slopes, strict=True):
            weight.assign_sub(self.rate * tf.clip_by_norm(slope, 1.0))

    def flat(self) -> Arrays:
        return {"weights": tf.concat([tf.reshape(w, [-1]) for w in self.trained()], 0)}

    def unflat(self, flat: Any) -> Arrays:
        start = 0
        for weight in self.trained():
            size = int(np.prod(weight.shape))
            weight.assign(tf.reshape(flat[start : start + size], weight.shape))
            start += size
        return {"restored": tf.constant(True)}


class Policy(Trained):
    """Two heads on one board, planes first, with L2 over all kernels and an entropy beside."""

    def __init__(self) -> None:
        board = keras.Input((4, 6, 6))
        x = L.Permute((2, 3, 1))(board)
        more: Any = {"padding": "same", "activation": "relu", "kernel_regularizer": "l2"}
        for filters in (8, 16, 32):
            x = L.Conv2D(filters, 3, **more)(x)
        action = L.Flatten()(L.Conv2D(4, 1, **more)(x))
        action = L.Dense(36, tf.nn.log_softmax, kernel_regularizer="l2")(action)
        value = L.Dense(64, "relu")(L.Flatten()(L.Conv2D(2, 1, **more)(x)))
        net = keras.Model(board, [action, L.Dense(1, "tanh")(value)])
        super().__init__(net, keras.optimizers.Adam(), self.whole, one_hot(36))

    def whole(self, y: Any, found: Any) -> Any:
        action, value = found
        wanted = tf.reduce_sum(y * action, 1)
        worth = tf.reduce_mean(tf.square(value[:, 0] - y[:, 0]))
        return worth - tf.reduce_mean(wanted) + tf.add_n(self.net.losses)

    def infer(self, x: Any) -> Arrays:
        action, value = self.net(x, training=False)
        entropy = -tf.reduce_mean(tf.reduce_sum(tf.exp(action) * action, 1))
        return {"output": tf.exp(action), "value": value, "entropy": entropy}


def digits() -> Any:
    layers = [L.Resizing(32, 32), L.Lambda(tf.image.grayscale_to_rgb)]
    for filters, size, stride in ((8, 6, 1), (12, 5, 2), (16, 4, 2)):
        layers += [L.Conv2D(filters, size, stride), L.BatchNormalization(scale=False), L.ReLU()]
    layers += [L.Flatten(), L.Dense(50), L.BatchNormalization(scale=False), L.ReLU()]
    net = row((28, 28, 1), *layers, L.Dropout(0.0), L.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    y = tf.TensorSpec((None,), tf.int32, name="y")
    module = Trained(net, keras.optimizers.Adam(1e-4), loss, y)
    images = tf.TensorSpec((8, 28, 28, 1), floats(), name="x")
    labels = tf.TensorSpec((8,), tf.int32, name="y")
    module.functions["train_8"] = tf.function(module.train, input_signature=[images, labels])
    return module


FEDKIT = "FedCampus/FedKit, convert_model"
SAMPLES = {
    "overview": Sample(
        "tensorflow/tensorflow, docs: on-device training overview", "the official example", overview
    ),
    "personalized": Sample(
        "tensorflow/examples, model_personalization/transfer_learning/generate_training_model.py",
        "plain variables, gradients as outputs, random initialize", Personalized,
    ),
    "budget": Sample("dkds/budget-predictor-test-1, models", "regression, Adam", budget),
    "regression": Sample(f"{FEDKIT}/toy_regression_eg", "state as tensors", regression),
    "federated": Sample(f"{FEDKIT}/cifar10_eg", "5 x 5 convolutions, softmax inside", federated),
    "proximal": Sample(f"{FEDKIT}/cifar10_eg with FedProx", "a loss over all weights", proximal),
    "recurrent": Sample(f"{FEDKIT}/fed_mcrnn_eg", "Conv1D, three LSTMs, RMSprop", recurrent),
    "incremental": Sample(
        "MobileNetV2 learning flowers in steps", "clipped by hand, state as one vector", Incremental
    ),
    "policy": Sample(
        "a policy and value network for Renju", "two heads, L2, log_softmax", Policy
    ),
    "digits": Sample(
        "a basic network for federated MNIST", "Resizing, many train signatures", digits, 8
    ),
    "decayed": Sample(
        "a client for federated learning with a test signature", "weight decay, top_k", decayed
    ),
    "text": Sample(
        "classifying text on the phone", "embedding, AdamW, clipped norm, metrics", more.Text
    ),
    "keyword": Sample(
        "a keyword spotter that learns a voice", "Conv1D, Nadam, warm-up and cosine decay",
        more.keyword,
    ),
    "attention": Sample(
        "a transformer's block", "attention, stateless dropout, stepwise rate, Nesterov",
        more.Attention, sets=("dropout_rate",), check=True,
    ),
    "rebuilt": Sample(
        "an autoencoder for anomalies", "transposed convolutions, group norm, Adamax", more.rebuilt
    ),
    "recommender": Sample(
        "a recommender of items", "sparse gradients of three tables, Adagrad, L2", more.Recommender
    ),
    "averaged": Sample(
        "a small image network", "depthwise, Lion, summed gradients, averaged weights",
        more.Averaged,
    ),
    "weighted": Sample(
        "a controller of two factors", "dilation, bilinear resizing, Ftrl, clipped value",
        more.weighted,
    ),
}  # fmt: skip
