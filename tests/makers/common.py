"""What the makers share: random weights that tell layers apart, saving and converting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf


def randomize(variables: list[Any], seed: int) -> None:
    """Give each variable its own random values, of a size that keeps activations alive.

    Fresh Keras initialisation has BatchNormalization at 0 and 1 and answers 1/n everywhere, so a
    swapped weight would not show.
    """
    rng = np.random.default_rng(seed)
    for variable in variables:
        role, shape = variable.path.split("/")[-1], tuple(variable.shape)
        if "seed" in role:
            continue
        if role == "gamma":
            value = rng.uniform(0.7, 1.3, shape)
        elif role == "moving_variance":
            value = rng.uniform(0.5, 1.5, shape)
        elif role in ("beta", "bias", "moving_mean"):
            value = rng.normal(0, 0.2, shape)
        else:
            depthwise = len(shape) == 4 and shape[-1] == 1
            fan_in = 9 if depthwise else max(1, int(np.prod(shape[:-1])))
            value = rng.normal(0, np.sqrt(2 / fan_in), shape)
        variable.assign(value.astype(variable.dtype))


def convert(saved_model: Path, flex: bool = False) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if flex:
        ops.append(tf.lite.OpsSet.SELECT_TF_OPS)
    converter.target_spec.supported_ops = ops
    converter.experimental_enable_resource_variables = True
    converter.allow_custom_ops = True
    return bytes(converter.convert())


def export(module: tf.Module, out: Path, names: list[str], flex: bool = False) -> None:
    """Save ``module`` with the tf.functions in ``names`` as signatures and convert it."""
    functions = {name: getattr(module, name).get_concrete_function() for name in names}
    tf.saved_model.save(module, str(out / "saved_model"), signatures=functions)
    (out / "model.tflite").write_bytes(convert(out / "saved_model", flex))


def values(variables: list[Any], out: Path) -> None:
    """The true value of each variable by path, which is its shared name in the file."""
    arrays: dict[str, Any] = {v.path: np.asarray(v) for v in variables}
    np.savez(out / "values.npz", **arrays)


def pool_3d(kind: str) -> Any:
    """``Max`` or ``Average`` of blocks of 2; in float64, of operators that have a kernel for it."""
    import keras

    def join(a: Any, b: Any) -> Any:
        return tf.maximum(a, b) if kind == "Max" else (a + b) / 2

    class Pool3D(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
            x = join(x[:, ::2], x[:, 1::2])
            x = join(x[:, :, ::2], x[:, :, 1::2])
            return join(x[:, :, :, ::2], x[:, :, :, 1::2])

    if keras.config.floatx() == "float64":
        return Pool3D()
    return {"Max": keras.layers.MaxPooling3D, "Average": keras.layers.AveragePooling3D}[kind](2)
