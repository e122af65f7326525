"""Make data/frozen: a head behind a constant body, stored in three ways, and the body's file.

python tests/weights/make_frozen.py
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf

OUT = Path(__file__).parent / "data" / "frozen"
WIDTH = 40  # the converter leaves kernels of less than 1,024 values as they are


def convert(folder: str, kind: str) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS, ops.SELECT_TF_OPS]
    converter.experimental_enable_resource_variables = True
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    result: bytes = converter.convert()
    return result


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    i = keras.Input((WIDTH,))
    body = keras.layers.Dense(WIDTH, "tanh")
    backbone = keras.Model(i, body(i))
    body.set_weights([rng.normal(0, 0.2, w.shape).astype("float32") for w in body.weights])
    backbone.save_weights(OUT / "donor.weights.h5")
    kernel, bias = (tf.constant(w) for w in body.get_weights())
    module: Any = tf.Module()
    module.head = keras.layers.Dense(WIDTH)
    module.head.build((None, WIDTH))
    module.infer = tf.function(
        lambda x: {"y": module.head(tf.tanh(x @ kernel + bias))},
        input_signature=[tf.TensorSpec((2, WIDTH))],
    )
    signatures = {"infer": module.infer.get_concrete_function()}
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        for kind in ("float32", "float16", "int8"):
            (OUT / f"{kind}.tflite").write_bytes(convert(folder, kind))


if __name__ == "__main__":
    main()
