"""Architectures with layers of somebody's own, subclassed models, and exports of a part."""

from __future__ import annotations

from typing import Any

from matching_models import EXPORTED, Keras, model


def _block(keras: Keras, units: int = 8, same_shapes: bool = False) -> Any:
    class Block(keras.layers.Layer):
        """Two sublayers of one shape, a norm, and weights of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.d1 = keras.layers.Dense(units, "tanh")
            self.d2 = keras.layers.Dense(units)
            self.norm = keras.layers.LayerNormalization()

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(units,), name="scale", initializer="ones")
            size = (units,) if same_shapes else (1,)
            self.shift = self.add_weight(shape=size, name="shift", initializer="zeros")
            for layer in (self.d1, self.d2, self.norm):
                layer.build((None, units))
            super().build(shape)

        def call(self, x: Any) -> Any:
            return self.norm(x + self.d2(self.d1(x)) * self.scale + self.shift)

    return Block()


@model
def custom_blocks(keras: Keras) -> Any:
    x = i = keras.Input((8,))
    for _ in range(3):
        x = _block(keras)(x)
    return keras.Model(i, keras.layers.Dense(3)(x))


@model
def custom_weights_of_one_shape(keras: Keras) -> Any:
    i = keras.Input((8,))
    return keras.Model(i, _block(keras, same_shapes=True)(i))


@model
def subclassed_model(keras: Keras) -> Any:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.stem = keras.layers.Dense(8, "tanh")
            self.blocks = [_block(keras), _block(keras)]
            self.head = keras.layers.Dense(8)

        def call(self, x: Any) -> Any:
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    net = Net()
    net(keras.ops.zeros((1, 8)) if hasattr(keras, "ops") else _zeros())
    return net


@model
def subclassed_transformer(keras: Keras) -> Any:
    class Encoder(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.attention = keras.layers.MultiHeadAttention(2, 4)
            self.up = keras.layers.Dense(8, "relu")
            self.down = keras.layers.Dense(8)
            self.norms = [keras.layers.LayerNormalization() for _ in range(2)]

        def call(self, x: Any) -> Any:
            x = self.norms[0](x + self.attention(x, x))
            return self.norms[1](x + self.down(self.up(x)))

    i = keras.Input((5, 8))
    return keras.Model(i, Encoder()(Encoder()(i)))


def _zeros() -> Any:
    import numpy as np

    return np.zeros((1, 8), "float32")


def _autoencoder(keras: Keras) -> Any:
    d = keras.layers.Dense
    i = keras.Input((8,))
    encoder = keras.Model(i, d(8, "tanh")(d(8, "tanh")(i)), name="encoder")
    j = keras.Input((8,))
    decoder = keras.Model(j, d(8)(d(8, "tanh")(j)), name="decoder")
    k = keras.Input((8,))
    return keras.Model(k, decoder(encoder(k)))


@model
def encoder_of_an_autoencoder(keras: Keras) -> Any:
    return _autoencoder(keras)


EXPORTED["encoder_of_an_autoencoder"] = lambda keras, net: net.get_layer("encoder")


@model
def features_without_the_head(keras: Keras) -> Any:
    d = keras.layers.Dense
    i = keras.Input((8,))
    x = d(16, "tanh")(i)
    x = d(16, "tanh")(x)
    return keras.Model(i, d(4)(keras.layers.Dropout(0.2)(d(32, "tanh")(x))))


EXPORTED["features_without_the_head"] = lambda keras, net: keras.Model(
    net.input, net.layers[2].output
)


@model
def frozen_stem(keras: Keras) -> Any:
    d = keras.layers.Dense
    i = keras.Input((8,))
    return keras.Model(i, d(8)(d(8, "tanh")(d(8, "tanh")(i))))


def _frozen(keras: Keras, net: Any) -> Any:
    import tensorflow as tf

    kernel, bias = (tf.constant(w) for w in net.layers[1].get_weights())

    class Rest:
        inputs = net.inputs
        trainable_variables = net.layers[2].trainable_variables + net.layers[3].trainable_variables

        def __call__(self, x: Any, training: bool = False) -> Any:
            return net.layers[3](net.layers[2](tf.tanh(tf.matmul(x, kernel) + bias)))

    return Rest()


EXPORTED["frozen_stem"] = _frozen
