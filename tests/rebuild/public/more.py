"""Further modules as users write them: other layers, optimizers, schedules, clipping, metrics."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from rebuild.public.base import Arrays, Trained, floats, one_hot, row

L = keras.layers


def labels() -> Any:
    return tf.TensorSpec((None,), tf.int32, name="y")


class Text(Trained):
    """Bags of tokens; weight decay, a clipped norm, and metrics that the app resets."""

    def __init__(self) -> None:
        tokens = keras.Input((12,), dtype="int32")
        x = L.GlobalAveragePooling1D()(L.Embedding(50, 16)(tokens))
        net = keras.Model(tokens, L.Dense(10)(L.Dense(16, "gelu")(x)))
        self.mean = keras.metrics.Mean(name="mean_loss")
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.01, global_clipnorm=1.0)
        super().__init__(net, optimizer, loss, labels())
        self.metrics = [self.mean, self.accuracy]
        # a tf.Module does not track Keras's metrics
        self.counted = [v.value for metric in self.metrics for v in metric.variables]
        self.functions["reset"] = tf.function(self.reset, input_signature=[])

    def train(self, x: Any, y: Any) -> Arrays:
        with tf.GradientTape() as tape:
            logits = self.net(x, training=True)
            loss = self.loss(y, logits)
        self.step(tape.gradient(loss, self.trained()))
        self.mean.update_state(loss)
        self.accuracy.update_state(y, logits)
        return {"loss": loss, "mean": self.mean.result(), "accuracy": self.accuracy.result()}

    def reset(self) -> Arrays:
        for metric in self.metrics:
            metric.reset_state()
        return {"done": tf.constant(True)}


def keyword() -> Any:
    layers = []
    for filters in (8, 16):
        layers += [L.Conv1D(filters, 5, 2, padding="same"), L.BatchNormalization(), L.ReLU()]
    layers += [L.MaxPooling1D(3, 2, "same"), L.GlobalMaxPooling1D(), L.Dropout(0.0), L.Dense(10)]
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 50, warmup_target=2e-2, warmup_steps=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Trained(row((64, 4), *layers), keras.optimizers.Nadam(rate), loss, labels())


class Attention(Trained):
    """A block of a transformer with dropout whose seed comes from the steps that were made."""

    def __init__(self) -> None:
        x = inputs = keras.Input((6, 8))
        x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
        x = L.Add()([x, L.Dense(8)(L.Dense(16, "swish")(x))])
        net = keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling1D()(x)))
        self.rate = tf.Variable(0.0, trainable=False, dtype=floats(), name="dropout_rate")
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        optimizer = keras.optimizers.SGD(
            keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
            momentum=0.9, nesterov=True,
        )  # fmt: skip
        super().__init__(net, optimizer, loss, one_hot(3))

    def train(self, x: Any, y: Any) -> Arrays:
        seed = tf.stack([tf.cast(self.optimizer.iterations, tf.int32), 7])
        with tf.GradientTape() as tape:
            seen = tf.nn.experimental.stateless_dropout(x, self.rate, seed=seed)
            loss = self.loss(y, self.net(seen, training=True))
        slopes, norm = tf.clip_by_global_norm(tape.gradient(loss, self.trained()), 1.0)
        self.step(slopes)
        return {"loss": loss, "norm": norm}


def rebuilt() -> Any:
    """An autoencoder: transposed convolutions, group normalization."""
    net = row(
        (16, 16, 2),
        L.Conv2D(8, 3, 2, padding="same"), L.GroupNormalization(4), L.LeakyReLU(0.1),
        L.Conv2D(16, 3, 2, padding="same"), L.GroupNormalization(4), L.Activation("silu"),
        L.Conv2DTranspose(8, 3, 2, padding="same"), L.BatchNormalization(), L.ELU(),
        L.Conv2DTranspose(2, 4, 2, padding="same", activation="sigmoid"),
    )  # fmt: skip
    y = tf.TensorSpec((None, 16, 16, 2), floats(), name="y")
    rate = keras.optimizers.schedules.ExponentialDecay(1e-2, 4, 0.9, staircase=True)
    return Trained(net, keras.optimizers.Adamax(rate), keras.losses.Huber(0.3), y)


class Recommender(Trained):
    """Users and items in one input, two tables whose gradients are sparse, Adagrad, L2."""

    def __init__(self) -> None:
        pairs = keras.Input((2,), dtype="int32")
        user = L.Embedding(20, 8, embeddings_regularizer=keras.regularizers.L2(1e-3))(pairs[:, 0])
        item = L.Embedding(30, 8)(pairs[:, 1])
        bias = L.Embedding(30, 1)(pairs[:, 1])
        net = keras.Model(pairs, L.Add()([L.Dot(1)([user, item]), bias]))
        super().__init__(net, keras.optimizers.Adagrad(0.05), self.whole, one_hot(1))

    def whole(self, y: Any, found: Any) -> Any:
        return tf.reduce_mean(tf.square(y - found)) + tf.add_n(self.net.losses)

    def infer(self, x: Any) -> Arrays:
        return {"score": self.net(x, training=False)}


class Averaged(Trained):
    """A depthwise network, Lion with gradients summed over two calls, weights averaged beside."""

    def __init__(self) -> None:
        net = row(
            (16, 16, 3), L.ZeroPadding2D(1), L.SeparableConv2D(8, 3, 2, activation="relu6"),
            L.DepthwiseConv2D(3, 2, padding="same"), L.LayerNormalization(),
            L.PReLU(shared_axes=(1, 2)), L.AveragePooling2D(2, 1), L.Flatten(), L.Dense(3),
        )  # fmt: skip
        optimizer = keras.optimizers.Lion(1e-3, gradient_accumulation_steps=2, use_ema=True)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        super().__init__(net, optimizer, loss, one_hot(3))


def weighted() -> Any:
    """Factors between -1 and 1 from two images' difference: Ftrl, a clipped value."""
    net = row((8, 8, 2), L.Conv2D(4, 3, dilation_rate=2), L.Activation("softplus"),
              L.UpSampling2D(2, interpolation="bilinear"), L.MaxPooling2D(3), L.Flatten(),
              L.Dense(2, "tanh"))  # fmt: skip
    optimizer = keras.optimizers.Ftrl(0.05, l1_regularization_strength=0.001, clipvalue=0.5)
    return Trained(net, optimizer, keras.losses.LogCosh(), one_hot(2))
