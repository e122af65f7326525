"""The change to Keras that keeps the weights, tried without touching the installation.

    python docs/examples/keras_patch.py

Keras maps its variable to a NEW tf.Variable when a SavedModel is written. Mapped to the copy that
TensorFlow has made of the inner variable, the converter finds every value.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.core import Variable
from lost import Holder, converted, small


def patched(self: Any, object_map: Any, tensor_map: Any, options: Any, **kwargs: Any) -> Any:
    resources = self.value._export_to_saved_model_graph(object_map, tensor_map, options, **kwargs)
    object_map[self] = object_map[self.value]  # Keras: tf.Variable(object_map[self.value])
    return resources


@contextmanager
def patch() -> Iterator[None]:
    original = Variable._export_to_saved_model_graph
    Variable._export_to_saved_model_graph = patched
    try:
        yield
    finally:
        Variable._export_to_saved_model_graph = original


def save_and_convert(module: Holder) -> tuple[str, bytes]:
    folder = tempfile.mkdtemp()
    tf.saved_model.save(module, folder, signatures={"infer": module.infer})
    return folder, converted(folder)


def differences(module: Holder, folder: str, content: bytes) -> tuple[float, float]:
    """Of the .tflite and of the SavedModel loaded again, from the module."""
    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 64)
    wanted = module.infer(x)["y"].numpy()
    run = tf.lite.Interpreter(model_content=content).get_signature_runner("infer")
    loaded = tf.saved_model.load(folder)
    again = loaded.infer(x)["y"].numpy()
    return float(np.abs(run(x=x)["y"] - wanted).max()), float(np.abs(again - wanted).max())


if __name__ == "__main__":
    for name in ("Keras as it is", "patched"):
        module = Holder(small())
        if name == "patched":
            with patch():
                folder, content = save_and_convert(module)
        else:
            folder, content = save_and_convert(module)
        lite, again = differences(module, folder, content)
        print(f"{name}: {len(content)} bytes; .tflite off by {lite:.2g}, SavedModel by {again:.2g}")
