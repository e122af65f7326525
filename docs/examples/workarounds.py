"""Try each workaround that is passed around for lost weights, and print what came of it.

    python docs/examples/workarounds.py

A row says how many variables of the file have no value, and how far `infer` is from Keras under
this TensorFlow's own interpreter (default delegate).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from lost import Holder, converted, small

import tflrepair

X = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 64)


class Plain(tf.Module):
    """The same network on tf.Variables, without Keras."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.weights = [tf.Variable(v.numpy()) for v in model.variables]

    @tf.function(input_signature=[tf.TensorSpec([1, 64], tf.float32)])
    def infer(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        kernel, bias, head, last = self.weights
        return {"y": tf.nn.relu(x @ kernel + bias) @ head + last}


class Restorable(Holder):
    """Weights that the app keeps in a file of its own and gives back after loading."""

    @tf.function(input_signature=[tf.TensorSpec(s) for s in ([64, 128], [128], [128, 1], [1])])
    def set_weights(
        self, kernel: tf.Tensor, bias: tf.Tensor, head: tf.Tensor, last: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        for variable, value in zip(self.model.variables, (kernel, bias, head, last), strict=True):
            variable.assign(value)
        return {"done": tf.constant(1)}


def saved(module: Any, names: tuple[str, ...] = ("infer",)) -> str:
    folder = tempfile.mkdtemp()
    tf.saved_model.save(module, folder, signatures={name: getattr(module, name) for name in names})
    return folder


def nothing(model: keras.Model) -> bytes:
    return converted(saved(Holder(model)))


def load_outside_init(model: keras.Model) -> bytes:
    """The module is built first, and the weights are loaded into it afterwards."""
    file = Path(tempfile.mkdtemp()) / "w.weights.h5"
    model.save_weights(file)
    module = Holder(small())
    module.model.load_weights(file)
    return converted(saved(module))


def tf_variables(model: keras.Model) -> bytes:
    return converted(saved(Plain(model)))


def give_back(model: keras.Model) -> bytes:
    return converted(saved(Restorable(model), ("infer", "set_weights")))


def track(model: keras.Model) -> bytes:
    module = Holder(model)
    module.inner = [v.value for v in model.variables]
    return converted(saved(module))


def save_again(model: keras.Model) -> bytes:
    loaded = tf.saved_model.load(saved(Holder(model)))
    folder = tempfile.mkdtemp()
    tf.saved_model.save(loaded, folder, signatures=dict(loaded.signatures))
    return converted(folder)


def export_archive(model: keras.Model) -> bytes:
    archive = keras.export.ExportArchive()
    archive.track(model)
    spec = [tf.TensorSpec([1, 64], tf.float32, name="x")]
    archive.add_endpoint("infer", lambda x: {"y": model(x)}, input_signature=spec)
    folder = tempfile.mkdtemp()
    archive.write_out(folder, verbose=False)
    return converted(folder)


def convert(model: keras.Model) -> bytes:
    return tflrepair.convert(Holder(model))


def fix(model: keras.Model) -> bytes:
    folder = Path(tempfile.mkdtemp())
    (folder / "lost.tflite").write_bytes(nothing(model))
    model.save_weights(folder / "w.weights.h5")
    tflrepair.fix(folder / "lost.tflite", [folder / "w.weights.h5"], out=folder / "fixed.tflite")
    return (folder / "fixed.tflite").read_bytes()


WAYS: dict[str, Callable[[keras.Model], bytes]] = {
    "as reported": nothing,
    "load the weights outside `__init__`": load_outside_init,
    "use tf.Variable directly, no Keras": tf_variables,
    "keep the weights in a file, set them after loading": give_back,
    "track `[v.value for v in model.variables]`": track,
    "load the SavedModel and save it again": save_again,
    "keras.export.ExportArchive": export_archive,
    "`tflrepair.convert(module)`": convert,
    "`tflrepair fix lost.tflite --weights FILE`": fix,
}


def missing(content: bytes) -> str:
    file = Path(tempfile.mkdtemp()) / "model.tflite"
    file.write_bytes(content)
    variables = tflrepair.scan(file).analysis.variables
    lost = sum(v.status != "initialized" for v in variables)
    return f"{lost} of {len(variables)}" if variables else "none; constants"


def difference(content: bytes, model: keras.Model, give: bool) -> str:
    """Of ``infer`` from Keras; after `set_weights`, if the app gives the weights back."""
    interpreter = tf.lite.Interpreter(model_content=content)
    if give:
        names = ("kernel", "bias", "head", "last")
        values = dict(zip(names, (v.numpy() for v in model.variables), strict=True))
        interpreter.get_signature_runner("set_weights")(**values)
    run = interpreter.get_signature_runner("infer")
    (given,) = run.get_input_details()
    (answer,) = run(**{given: X}).values()
    off = np.abs(answer - model(X).numpy()).max()
    return f"{off:.1g}" if off < 1e-3 else "NaN or garbage"


def rows() -> list[tuple[str, str, str]]:
    """(way, variables without a value, difference of ``infer``)."""
    found = []
    for name, way in WAYS.items():
        model = small()
        content = way(model)
        found.append((name, missing(content), difference(content, model, give=False)))
        if way is give_back:
            after = difference(content, model, give=True)
            found.append((f"{name}: after `set_weights`", found[-1][1], after))
    return found


if __name__ == "__main__":
    print("| way | variables without a value | `infer`, difference from Keras |\n|---|---|---|")
    for row in rows():
        print(f"| {' | '.join(row)} |")
