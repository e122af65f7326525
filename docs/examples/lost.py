"""Fifteen lines that lose every weight: a Keras 3 model inside a tf.Module, converted.

    python docs/examples/lost.py OUT.tflite

Needs TensorFlow 2.18 or later with Keras 3. Prints the size of the weights and of the file.
"""

import sys
from pathlib import Path

import keras
import tensorflow as tf


class Holder(tf.Module):
    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model

    @tf.function(input_signature=[tf.TensorSpec([1, 64], tf.float32)])
    def infer(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.model(x)}


def small() -> keras.Model:
    """8,450 weights, 33.8 KB."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((64,)), *layers])


def converted(folder: str) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.experimental_enable_resource_variables = True
    content: bytes = converter.convert()
    return content


def main(out: Path) -> None:
    module = Holder(small())
    folder = str(out.with_suffix(".saved_model"))
    tf.saved_model.save(module, folder, signatures={"infer": module.infer})
    out.write_bytes(converted(folder))
    weights = sum(v.numpy().nbytes for v in module.model.variables)
    print(f"{weights} bytes of weights, {out.stat().st_size} bytes of .tflite")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
