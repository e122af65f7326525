"""Make the models that only running decides: data/int8 and data/twins.

python tests/weights/make_checked.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf

DATA = Path(__file__).parent / "data"
WIDTH, PAIRS = 4, 8


def randomize(variables: list[Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for variable in variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype("float32"))


def convert(folder: Path, samples: Any = None, whole: bool = False) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = True
    if samples is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
    if whole:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


class Quantized(tf.Module):
    """A frozen body, quantized to 8 bits, and two branches of one shape that can be trained.

    Calibration runs the model, so ``load`` must set the variables first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = keras.layers.Dense(6, "relu")
        self.heads = [keras.layers.Dense(6), keras.layers.Dense(6)]
        inputs = keras.Input((6,))
        x = self.body(inputs)
        self.net = keras.Model(inputs, keras.layers.Subtract()([d(x) for d in self.heads]))
        randomize(self.net.variables, 5)
        self.frozen = [tf.constant(np.asarray(w)) for w in self.body.weights]
        self.own = [v for head in self.heads for v in head.weights]

    @tf.function(input_signature=[tf.TensorSpec((2, 6), "float32")])
    def infer(self, x: Any) -> Any:
        x = tf.nn.relu(tf.matmul(x, self.frozen[0]) + self.frozen[1])
        return {"y": self.heads[0](x) - self.heads[1](x)}

    @tf.function(
        input_signature=[tf.TensorSpec(s, "float32") for s in ((6, 6), (6,), (6, 6), (6,))]
    )
    def load(self, a: Any, b: Any, c: Any, d: Any) -> Any:
        for variable, value in zip(self.own, (a, b, c, d), strict=True):
            variable.assign(value)
        return {"done": tf.constant(1)}


def make_int8(out: Path, work: Path) -> None:
    module = Quantized()
    names = ("infer", "load")
    signatures = {name: getattr(module, name).get_concrete_function() for name in names}
    tf.saved_model.save(module, str(work), signatures=signatures)

    def samples() -> Iterator[tuple[str, dict[str, Any]]]:
        rng = np.random.default_rng(0)
        yield "load", dict(zip("abcd", (np.asarray(v) for v in module.own), strict=True))
        for _ in range(20):
            yield "infer", {"x": rng.random((2, 6), "float32")}

    (out / "model.tflite").write_bytes(convert(work, samples))
    (out / "whole.tflite").write_bytes(convert(work, samples, whole=True))
    module.net.save_weights(out / "donor.weights.h5")
    x = np.random.default_rng(1).random((2, 6), "float32")
    np.savez(out / "io.npz", x=x, y=module.infer(tf.constant(x))["y"])
    truth: dict[str, Any] = {v.path.replace("/", "|"): np.asarray(v) for v in module.own}
    np.savez(out / "truth.npz", **truth)


def make_plain(out: Path, work: Path) -> None:
    """No variables; 8 bits at the inputs and outputs, too."""
    layers = [keras.layers.Dense(6, "relu"), keras.layers.Dense(3)]
    net = keras.Sequential([keras.Input((6,)), *layers])
    randomize(net.variables, 7)
    rng = np.random.default_rng(8)
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.random((1, 6), "float32")] for _ in range(50))
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (out / "plain.tflite").write_bytes(bytes(converter.convert()))
    x = rng.random((1, 6), "float32")
    np.savez(out / "plain.npz", x=x, y=net(x))


class Twins(tf.Module):
    """Eight pairs of one shape each (256 readings); two inputs; outputs that have no names."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = [keras.layers.Dense(WIDTH + n // 2) for n in range(2 * PAIRS)]
        for number, row in enumerate(self.rows):
            row.build((None, WIDTH))
            randomize(row.weights, number)

    @tf.function(
        input_signature=[
            tf.TensorSpec((2, WIDTH), "float32", "left"),
            tf.TensorSpec((2, WIDTH), "float32", "right"),
        ]
    )
    def answer(self, left: Any, right: Any) -> Any:
        pairs = list(zip(self.rows[::2], self.rows[1::2], strict=True))
        found = [tf.reduce_sum(tf.tanh(a(left)) - b(right), 1) for a, b in pairs]
        return tf.add_n(found), tf.stack(found, 1)


def make_twins(out: Path, work: Path) -> None:
    module = Twins()
    signatures = {"serving_default": module.answer.get_concrete_function()}
    tf.saved_model.save(module, str(work), signatures=signatures)
    (out / "model.tflite").write_bytes(convert(work))
    order = np.random.default_rng(3).permutation(2 * PAIRS)
    arrays: dict[str, Any] = {
        f"dense_{40 + place}/{role}": np.asarray(getattr(module.rows[number], role))
        for place, number in enumerate(order)
        for role in ("kernel", "bias")
    }
    np.savez(out / "donor.npz", **arrays)
    own = [v for row in module.rows for v in row.weights]
    truth: dict[str, Any] = {v.path.replace("/", "|"): np.asarray(v) for v in own}
    np.savez(out / "truth.npz", **truth)
    rng = np.random.default_rng(4)
    given: dict[str, Any] = {
        name: rng.normal(0, 1, (2, WIDTH)).astype("float32") for name in ("left", "right")
    }
    answers = module.answer(*map(tf.constant, given.values()))
    wanted: dict[str, Any] = {f"output_{n}": np.asarray(value) for n, value in enumerate(answers)}
    np.savez(out / "io.npz", **given, **wanted)


if __name__ == "__main__":
    import tempfile

    for maker, case in ((make_int8, "int8"), (make_plain, "int8"), (make_twins, "twins")):
        (DATA / case).mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            maker(DATA / case, Path(work))
