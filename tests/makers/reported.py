"""The module of tensorflow issue 98964: MobileNetV2 and a head, trained on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from makers.common import convert, randomize, values

CLASSES = 62
IMAGE = (224, 224, 3)


def base() -> Any:
    return keras.applications.MobileNetV2(input_shape=IMAGE, include_top=False, weights=None)


def head_layers(dropout: bool) -> list[Any]:
    layers = [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1280, activation="hard_swish"),
    ]
    if dropout:
        layers.append(keras.layers.Dropout(0.4))
    constraint = keras.constraints.UnitNorm()
    layers.append(keras.layers.Dense(CLASSES, kernel_constraint=constraint, activation="softmax"))
    return layers


def donor() -> Any:
    """The architecture that was trained, with a Dropout that the module does not have."""
    return keras.Sequential([keras.layers.Input(IMAGE), base(), *head_layers(dropout=True)])


class TransferLearningModel(tf.Module):
    def __init__(self, weights: str) -> None:
        super().__init__()
        self.base = base()
        self.head = keras.Sequential(head_layers(dropout=False), name="classification_head")
        self.head.build((None, 7, 7, 1280))
        loading = donor()
        loading.load_weights(weights)
        self.base.set_weights(loading.layers[0].get_weights())
        given = [layer for layer in loading.layers[1:] if layer.get_weights()]
        given = [layer for layer in given if not isinstance(layer, keras.layers.Dropout)]
        for source, target in zip(given, [x for x in self.head.layers if x.weights], strict=True):
            target.set_weights(source.get_weights())
        self.optimizer = keras.optimizers.Adam(1e-4)
        self.optimizer.build(self.head.trainable_variables)
        self.loss = keras.losses.CategoricalCrossentropy()

    @tf.function(input_signature=[tf.TensorSpec([None, *IMAGE], tf.float32)])
    def infer(self, x: Any) -> Any:
        return {"output": self.head(self.base(x, training=False), training=False)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, *IMAGE], tf.float32),
            tf.TensorSpec([None, CLASSES], tf.float32),
        ]
    )
    def train(self, x: Any, y: Any) -> Any:
        variables = self.head.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.head(self.base(x, training=False), training=True))
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        named = {v.name: g for v, g in zip(variables, gradients, strict=True)}
        return {"loss": loss, **named}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def save(self, checkpoint_path: Any) -> Any:
        variables = self.head.trainable_variables
        tf.raw_ops.Save(
            filename=checkpoint_path,
            tensor_names=[v.name for v in variables],
            data=[v.value for v in variables],
        )
        return {"checkpoint_path": checkpoint_path}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def restore(self, checkpoint_path: Any) -> Any:
        restored = {}
        for v in self.head.trainable_variables:
            value = tf.raw_ops.Restore(file_pattern=checkpoint_path, tensor_name=v.name, dt=v.dtype)
            v.assign(tf.ensure_shape(value, v.shape))
            restored[v.name] = value
        return restored


def make(out: Path) -> None:
    """broken model.tflite, new_model.weights.h5, values.npz, io.npz, training.npz."""
    trained = donor()
    randomize(trained.variables, seed=98964)
    # Coarse blocks of colour: fine noise averages out, and all images would look the same.
    blocks = np.random.default_rng(1).uniform(-1, 1, (6, 4, 4, 3)).astype(np.float32)
    images = blocks.repeat(56, axis=1).repeat(56, axis=2)
    # What all images have in common would decide the class; the head subtracts it.
    features = keras.Sequential(trained.layers[:2])(images, training=False)
    trained.layers[2].moving_mean.assign(tf.reduce_mean(features, axis=0))
    weights = out / "new_model.weights.h5"
    trained.save_weights(weights)

    module = TransferLearningModel(str(weights))
    infer = module.infer.get_concrete_function()
    signatures = {
        "serving_default": infer,
        "infer": infer,
        "train": module.train.get_concrete_function(),
        "save": module.save.get_concrete_function(),
        "restore": module.restore.get_concrete_function(),
    }
    tf.saved_model.save(module, str(out / "saved_model"), signatures=signatures)
    (out / "model.tflite").write_bytes(convert(out / "saved_model", flex=True))
    values([*module.base.variables, *module.head.variables, *module.optimizer.variables], out)

    np.savez(out / "io.npz", x=images, output=module.infer(images)["output"].numpy())
