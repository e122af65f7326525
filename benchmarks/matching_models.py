"""The architectures of the matching benchmark.

Each builder takes the ``keras`` module (Keras 3 or tf-keras 2) and returns a Keras model; built
twice it gives two instances with shifted auto-numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Keras = Any
Builder = Callable[[Keras], Any]

MODELS: dict[str, Builder] = {}
# Exported without training: its gradient turns the loops of `infer` into Flex operators, too,
# which no wheel of LiteRT runs.
INFER_ONLY = {"bidirectional_lstm", "stacked_gru", "stacked_cells", "time_distributed"}
# name -> what is exported of the model, where it is not the whole model
EXPORTED: dict[str, Callable[[Keras, Any], Any]] = {}


def models() -> dict[str, Builder]:
    """All architectures by name, those of ``matching_custom`` among them."""
    import_module("matching_custom")  # registers its own here
    return MODELS


def model(build: Builder) -> Builder:
    """Register an architecture under the name of its builder."""
    MODELS[build.__name__] = build
    return build


def _application(name: str, size: int, **options: Any) -> None:
    def build(keras: Keras) -> Any:
        make = getattr(keras.applications, name)
        base = make(input_shape=(size, size, 3), include_top=False, weights=None, **options)
        features = keras.layers.GlobalAveragePooling2D()(base.output)
        return keras.Model(base.input, keras.layers.Dense(7, activation="softmax")(features))

    build.__name__ = name
    MODELS[name] = build


_application("MobileNet", 64, alpha=0.25)
_application("MobileNetV2", 64, alpha=0.35)
_application("MobileNetV3Small", 64)
_application("MobileNetV3Large", 64, alpha=0.75)
_application("EfficientNetB0", 64)
_application("EfficientNetV2B0", 64)
_application("ResNet50", 64)
_application("ResNet50V2", 64)
_application("DenseNet121", 64)
_application("Xception", 71)
_application("InceptionV3", 75)
_application("NASNetMobile", 64)
_application("ConvNeXtTiny", 32)


@model
def sequential(keras: Keras) -> Any:
    d = keras.layers.Dense
    return keras.Sequential([keras.Input((8,)), d(16, "relu"), d(16, "relu"), d(4)])


@model
def functional(keras: Keras) -> Any:
    x = inputs = keras.Input((12, 12, 3))
    for filters in (8, 8, 16):
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(5)(x))


@model
def same_shapes_in_a_row(keras: Keras) -> Any:
    x = inputs = keras.Input((16,))
    for _ in range(8):
        x = keras.layers.Dense(16, "tanh")(x)
    return keras.Model(inputs, x)


@model
def conv_blocks_in_a_row(keras: Keras) -> Any:
    x = inputs = keras.Input((8, 8, 8))
    for _ in range(5):
        y = keras.layers.Conv2D(8, 3, padding="same")(x)
        y = keras.layers.BatchNormalization()(y)
        x = keras.layers.Add()([x, keras.layers.ReLU()(y)])
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


@model
def nested_two_deep(keras: Keras) -> Any:
    d = keras.layers.Dense

    def inner() -> Any:
        i = keras.Input((8,))
        return keras.Model(i, d(8)(d(8, "tanh")(i)))

    def middle() -> Any:
        i = keras.Input((8,))
        return keras.Model(i, d(8, "tanh")(inner()(inner()(i))))

    i = keras.Input((8,))
    return keras.Model(i, d(3)(middle()(middle()(i))))


@model
def sequential_in_sequential(keras: Keras) -> Any:
    d = keras.layers.Dense
    inner = keras.Sequential([keras.Input((8,)), d(8, "tanh"), d(8, "tanh")])
    last = keras.Sequential([keras.Input((8,)), d(8, "tanh"), d(4)])
    return keras.Sequential([keras.Input((8,)), d(8, "tanh"), inner, last])


@model
def towers_with_equal_names(keras: Keras) -> Any:
    def tower() -> Any:
        i = keras.Input((8,))
        x = keras.layers.Dense(8, "tanh", name="hidden")(i)
        return keras.Model(i, keras.layers.Dense(8, name="out")(x))

    i = keras.Input((8,))
    return keras.Model(i, keras.layers.Concatenate()([tower()(i), tower()(i)]))


@model
def parallel_branches(keras: Keras) -> Any:
    i = keras.Input((8,))
    a, b, c = (keras.layers.Dense(8, f)(i) for f in ("relu", "tanh", "sigmoid"))
    return keras.Model(i, keras.layers.Concatenate()([c, a, b]))


@model
def used_in_another_order(keras: Keras) -> Any:
    first, second, third = (keras.layers.Dense(8, "tanh") for _ in range(3))
    i = keras.Input((8,))
    return keras.Model(i, second(first(third(i))))


@model
def layer_used_twice(keras: Keras) -> Any:
    shared, other = keras.layers.Dense(8, "tanh"), keras.layers.Dense(8, "tanh")
    i = keras.Input((8,))
    return keras.Model(i, shared(other(shared(i))))


@model
def siamese(keras: Keras) -> Any:
    d = keras.layers.Dense
    i = keras.Input((8,))
    tower = keras.Model(i, d(8)(d(8, "tanh")(i)))
    j = keras.Input((16,))
    left, right = keras.layers.Lambda(lambda t: t[:, :8]), keras.layers.Lambda(lambda t: t[:, 8:])
    both = keras.layers.Subtract()([tower(left(j)), tower(right(j))])
    return keras.Model(j, d(8)(both))


@model
def bidirectional_lstm(keras: Keras) -> Any:
    lstm = keras.layers.LSTM
    i = keras.Input((5, 8))
    x = keras.layers.Bidirectional(lstm(8, return_sequences=True), merge_mode="sum")(i)
    x = keras.layers.Bidirectional(lstm(8, return_sequences=True), merge_mode="sum")(x)
    return keras.Model(i, keras.layers.Dense(3)(lstm(8)(x)))


@model
def stacked_gru(keras: Keras) -> Any:
    gru = keras.layers.GRU
    i = keras.Input((5, 8))
    return keras.Model(i, gru(8)(gru(8, return_sequences=True)(gru(8, return_sequences=True)(i))))


@model
def stacked_cells(keras: Keras) -> Any:
    cells = [keras.layers.LSTMCell(8), keras.layers.LSTMCell(8), keras.layers.GRUCell(8)]
    i = keras.Input((5, 8))
    return keras.Model(i, keras.layers.RNN(cells)(i))


@model
def attention(keras: Keras) -> Any:
    x = i = keras.Input((5, 8))
    for _ in range(2):
        y = keras.layers.MultiHeadAttention(2, 4)(x, x)
        x = keras.layers.LayerNormalization()(keras.layers.Add()([x, y]))
        y = keras.layers.Dense(8)(keras.layers.Dense(16, "relu")(x))
        x = keras.layers.LayerNormalization()(keras.layers.Add()([x, y]))
    return keras.Model(i, x)


@model
def separable(keras: Keras) -> Any:
    x = i = keras.Input((12, 12, 4))
    for _ in range(3):
        x = keras.layers.SeparableConv2D(4, 3, padding="same")(x)
        x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    return keras.Model(i, x)


@model
def batch_norm_variants(keras: Keras) -> Any:
    bn = keras.layers.BatchNormalization
    x = i = keras.Input((8,))
    for options in ({"scale": False}, {"center": False}, {}, {"scale": False, "center": False}):
        x = bn(**options)(keras.layers.Dense(8, use_bias=False)(x))
    return keras.Model(i, x)


@model
def norms(keras: Keras) -> Any:
    x = i = keras.Input((6, 6, 8))
    x = keras.layers.GroupNormalization(2)(x)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.PReLU(shared_axes=[1, 2])(x)
    return keras.Model(i, keras.layers.LayerNormalization(center=False)(x))


@model
def unet(keras: Keras) -> Any:
    conv, up = keras.layers.Conv2D, keras.layers.Conv2DTranspose
    i = keras.Input((16, 16, 3))
    a = conv(8, 3, padding="same", activation="relu")(i)
    b = conv(8, 3, 2, padding="same", activation="relu")(a)
    c = conv(8, 3, 2, padding="same", activation="relu")(b)
    d = keras.layers.Concatenate()([up(8, 2, 2)(c), b])
    e = keras.layers.Concatenate()([up(8, 2, 2)(d), a])
    return keras.Model(i, conv(2, 1)(e))


@model
def squeeze_and_excite(keras: Keras) -> Any:
    x = i = keras.Input((8, 8, 8))
    for n in range(2):
        s = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
        s = keras.layers.Conv2D(8, 1, activation="relu", name=f"squeeze_{n}")(s)
        s = keras.layers.Conv2D(8, 1, activation="sigmoid", name=f"excite_{n}")(s)
        x = keras.layers.Multiply()([keras.layers.Conv2D(8, 3, padding="same")(x), s])
    return keras.Model(i, x)


@model
def text_embedding(keras: Keras) -> Any:
    i = keras.Input((6,), dtype="int32")
    x = keras.layers.Embedding(20, 8)(i)
    y = keras.layers.Embedding(20, 8)(i)
    x = keras.layers.Conv1D(8, 3, padding="same")(keras.layers.Multiply()([x, y]))
    return keras.Model(i, keras.layers.Dense(4)(keras.layers.GlobalMaxPooling1D()(x)))


@model
def time_distributed(keras: Keras) -> Any:
    i = keras.Input((4, 8))
    x = keras.layers.TimeDistributed(keras.layers.Dense(8, "tanh"))(i)
    x = keras.layers.TimeDistributed(keras.layers.Dense(8, "tanh"))(x)
    return keras.Model(i, keras.layers.SimpleRNN(8)(x))


@model
def dropout_and_noise(keras: Keras) -> Any:
    x = i = keras.Input((8,))
    for _ in range(3):
        x = keras.layers.GaussianNoise(0.1)(keras.layers.Dense(8, "tanh")(x))
        x = keras.layers.Dropout(0.3)(x)
    return keras.Model(i, x)
