"""A Keras model of 16-bit variables: made, converted and run where tf.lite has Flex.

    python half.py make DTYPE FOLDER      model.tflite, w.weights.h5, io.npz
    python half.py run MODEL IO.npz       prints JSON: how far it is from eager TensorFlow

Run by test_half.py with another Python, which has tensorflow and numpy and nothing of ours.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

STEPS = 3


class Trainer(tf.Module):
    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.dtype = dtype
        keras.config.set_floatx(dtype)
        layers = [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, "relu", name="a"),
            keras.layers.Dense(3, name="b"),
        ]
        self.model = keras.Sequential(layers, name="net")
        self.optimizer = keras.optimizers.SGD(0.0625, momentum=0.5)
        self.optimizer.build(self.model.trainable_variables)

    # Bits, because a CAST to bfloat16 is one that tf.lite 2.18, the last with Flex, cannot do.
    @tf.function(input_signature=[tf.TensorSpec([2, 4], tf.uint16)])
    def infer(self, x: Any) -> Any:
        return {"y": tf.bitcast(self.model(tf.bitcast(x, self.dtype)), tf.uint16)}

    @tf.function(
        input_signature=[tf.TensorSpec([2, 4], tf.uint16), tf.TensorSpec([2, 3], tf.uint16)]
    )
    def train(self, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            difference = self.model(tf.bitcast(x, self.dtype)) - tf.bitcast(y, self.dtype)
            loss = tf.reduce_mean(difference * difference)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": tf.bitcast(loss, tf.uint16)}


def make(dtype: str, folder: Path) -> None:
    random = np.random.default_rng(8)
    module = Trainer(dtype)
    for variable in module.model.variables:
        variable.assign(random.normal(0, 0.5, variable.shape))
    module.model.save_weights(folder / "w.weights.h5")
    functions = {n: getattr(module, n).get_concrete_function() for n in ("infer", "train")}
    tf.saved_model.save(module, str(folder / "saved"), signatures=functions)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS,
        tf.lite.OpsSet.SELECT_TF_OPS,
    ]
    converter.experimental_enable_resource_variables = True
    (folder / "model.tflite").write_bytes(converter.convert())
    bits = [tf.cast(random.normal(0, 1, (2, n)), dtype).numpy().view("uint16") for n in (4, 3)]
    x, y = map(tf.constant, bits)
    before = module.infer(x)["y"].numpy()
    losses = [module.train(x, y)["loss"].numpy() for _ in range(STEPS)]
    after = module.infer(x)["y"].numpy()
    arrays = {"x": x, "y": y, "before": before, "losses": losses, "after": after}
    np.savez(folder / "io.npz", dtype=dtype, **arrays)


def run(model: str, path: str) -> None:
    io = np.load(path)
    interpreter = tf.lite.Interpreter(model)
    infer, train = map(interpreter.get_signature_runner, ("infer", "train"))
    before = infer(x=io["x"])["y"]
    losses = [train(x=io["x"], y=io["y"])["loss"] for _ in range(STEPS)]
    pairs = {"before": before, "losses": losses, "after": infer(x=io["x"])["y"]}

    def apart(one: Any, other: Any) -> float:
        numbers = [np.array(a, "uint16").view(tf.dtypes.as_dtype(str(io["dtype"])).as_numpy_dtype)
                   for a in (one, other)]  # fmt: skip
        return float(np.abs(numbers[0].astype("float32") - numbers[1].astype("float32")).max())

    far = {name: apart(got, io[name]) for name, got in pairs.items()}
    print(json.dumps({**far, "moved": apart(io["after"], io["before"])}))


if sys.argv[1] == "make":
    make(sys.argv[2], Path(sys.argv[3]))
else:
    run(*sys.argv[2:])
