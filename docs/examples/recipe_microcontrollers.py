"""For a microcontroller: int8, without variables, and the list of operators to register."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tflrepair

keras.utils.set_random_seed(1)
layers = [
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(4),
]
model = keras.Sequential([keras.Input((16, 16, 1), batch_size=1), *layers])
samples = np.random.default_rng(0).normal(size=(32, 1, 16, 16, 1)).astype(np.float32)

content = tflrepair.convert(
    model,
    optimizations=[tf.lite.Optimize.DEFAULT],
    representative_dataset=lambda: ([sample] for sample in samples),
)
Path("micro.tflite").write_bytes(content)

# The same on the command line: tflrepair scan micro.tflite --target tflm
result = tflrepair.scan("micro.tflite")
print("fine" if result.ok else result.findings)
