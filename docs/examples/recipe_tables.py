"""Lookup tables: tracked by the module, or the converter loses them as it loses weights."""

from pathlib import Path

import tensorflow as tf

import tflrepair


def table() -> tf.lookup.StaticHashTable:
    pairs = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([1, 2], tf.int64))
    return tf.lookup.StaticHashTable(pairs, -1)


class Labels(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.labels = table()  # an attribute: found, saved, filled by the initializer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def infer(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"number": self.labels.lookup(words)}


Path("labels.tflite").write_bytes(tflrepair.convert(Labels()))
print("fine:", tflrepair.scan("labels.tflite").ok)
