"""Models of the real converter that have what a check looks for, and the same models without it.

A folder for each, named like TFR016; in it found.tflite and sound.tflite. Equal constants (TFR022)
cannot be had so: the converter writes them once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from makers.common import export

X = tf.TensorSpec([1, 64], tf.float32)
PATH = tf.TensorSpec([], tf.string)
_RNG = np.random.default_rng(3)
WEIGHTS = _RNG.normal(0, 0.1, (64, 64)).astype(np.float32)


class Trainer(tf.Module):
    """``train`` computes a loss; it assigns, and saves what it restores, or not."""

    def __init__(self, steps: bool = True, restores: int = 2) -> None:
        super().__init__()
        self.steps, self.restores = steps, restores
        self.w = tf.Variable(WEIGHTS, name="w")
        self.m = tf.Variable(WEIGHTS * 0 + 0.5, name="m")

    @tf.function(input_signature=[X])
    def train(self, x: Any) -> Any:
        loss = tf.reduce_sum(tf.matmul(x, self.w))
        if self.steps:
            self.m.assign(self.m * 0.9 + 0.1)
            self.w.assign_sub(0.01 * self.m)
        return {"loss": loss}

    @tf.function(input_signature=[PATH])
    def save(self, path: Any) -> Any:
        data = [self.w.read_value(), self.m.read_value()]
        tf.raw_ops.Save(filename=path, tensor_names=["w", "m"], data=data)
        return {"path": path}

    @tf.function(input_signature=[PATH])
    def restore(self, path: Any) -> Any:
        for name, variable in (("w", self.w), ("m", self.m))[: self.restores]:
            read = tf.raw_ops.Restore(file_pattern=path, tensor_name=name, dt=tf.float32)
            variable.assign(tf.ensure_shape(read, variable.shape))
        return {"path": path}


class Constants(tf.Module):
    """A product with one matrix after the other."""

    def __init__(self, *weights: Any) -> None:
        super().__init__()
        self.weights = [tf.constant(value) for value in weights]

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        for value in self.weights:
            x = tf.nn.relu(tf.matmul(x, value))
        return {"out": x}


class Table(tf.Module):
    """A lookup in a table that the function makes, and fills or not."""

    def __init__(self, fills: bool) -> None:
        super().__init__()
        self.fills = fills

    @tf.function(input_signature=[tf.TensorSpec([2], tf.string)])
    def infer(self, x: Any) -> Any:
        handle = tf.raw_ops.HashTableV2(
            key_dtype=tf.string, value_dtype=tf.int64, shared_name="labels"
        )
        filled = []
        if self.fills:
            keys, values = tf.constant(["a"]), tf.constant([1], tf.int64)
            filled.append(
                tf.raw_ops.LookupTableImportV2(table_handle=handle, keys=keys, values=values)
            )
        with tf.control_dependencies(filled):
            default = tf.constant(-1, tf.int64)
            return {
                "out": tf.raw_ops.LookupTableFindV2(
                    table_handle=handle, keys=x, default_value=default
                )
            }


class Beta(tf.Module):
    """An operator that TFLite lacks, which becomes a custom one, or one that it has."""

    def __init__(self, custom: bool) -> None:
        super().__init__()
        self.custom = custom

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        return {"out": tf.raw_ops.Betainc(a=x, b=x, x=x) if self.custom else x * x}


class Doubled(tf.Module):
    """One read of a variable, on both sides of a sum, or of a sum with a constant."""

    def __init__(self, twice: bool) -> None:
        super().__init__()
        self.twice = twice
        self.v = tf.Variable(np.linspace(0.1, 1, 64, dtype=np.float32)[None], name="v")

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        value = self.v.read_value()
        self.v.assign(value * 0.5)
        return {"out": x * (value + (value if self.twice else 1.0))}


class Choice(tf.Module):
    """Reads one of two variables: picks the handle and reads it, or reads both and picks."""

    def __init__(self, handles: bool) -> None:
        super().__init__()
        self.handles = handles
        self.a = tf.Variable(WEIGHTS[:1], name="a")
        self.b = tf.Variable(WEIGHTS[1:2], name="b")

    @tf.function(input_signature=[X])
    def infer(self, x: Any) -> Any:
        first = tf.reduce_sum(x) > 0
        if self.handles:
            handle = tf.cond(first, lambda: self.a.handle, lambda: self.b.handle)
            return {"out": x + tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)}
        return {"out": x + tf.cond(first, self.a.read_value, self.b.read_value)}


def _converted(module: Constants, out: Path, settings: dict[str, Any]) -> None:
    names = {"infer": module.infer.get_concrete_function()}
    tf.saved_model.save(module, str(out / "saved_model"), signatures=names)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(out / "saved_model"))
    for name, value in settings.items():
        if name == "supported_ops":
            converter.target_spec.supported_ops = value
        else:
            setattr(converter, name, value)
    (out / "model.tflite").write_bytes(bytes(converter.convert()))


def _samples() -> Any:
    for _ in range(4):
        yield [_RNG.normal(0, 1, (1, 64)).astype(np.float32)]


def make(folder: Path) -> None:
    nan = WEIGHTS.copy()
    nan[3, 5] = np.nan
    large = _RNG.normal(0, 0.1, (64, 64)).astype(np.float32)
    few = _RNG.normal(0, 0.1, (64, 8)).astype(np.float32)
    infer, trains = ["infer"], ["train", "save", "restore"]
    pairs: dict[str, tuple[tf.Module, tf.Module, list[str], bool]] = {
        "TFR009": (Table(False), Table(True), infer, False),
        "TFR010": (Choice(True), Choice(False), infer, True),
        "TFR015": (Beta(True), Beta(False), infer, False),
        "TFR016": (Trainer(steps=False), Trainer(), ["train"], False),
        "TFR018": (Trainer(restores=1), Trainer(), trains, True),
        "TFR020": (Constants(nan), Constants(WEIGHTS), infer, False),
        "TFR021": (Constants(WEIGHTS, large * 0), Constants(WEIGHTS, large), infer, False),
        "TFR031": (Doubled(True), Doubled(False), infer, False),
    }
    for code, (found, sound, names, flex) in pairs.items():
        for module, name in ((found, "found"), (sound, "sound")):
            work = _work(folder / code, name)
            export(module, work, names, flex)
            _finish(work)
    eight = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    calibrated = {**eight, "representative_dataset": _samples}
    stablehlo = {"supported_ops": [tf.lite.OpsSet.EXPERIMENTAL_STABLEHLO_OPS]}
    both, plain = (WEIGHTS, large), Constants(WEIGHTS)
    settings: dict[str, tuple[Constants, dict[str, Any], Constants, dict[str, Any]]] = {
        "TFR014": (plain, stablehlo, plain, {}),
        # weights of 8 bits, but those that the converter leaves alone because they are few
        "TFR025": (Constants(*both, few), eight, Constants(*both), eight),
        # the old quantizer writes newer operators and keeps the entry
        "TFR030": (plain, {**calibrated, "experimental_new_quantizer": False}, plain, calibrated),
    }
    for code, (bad, first, good, second) in settings.items():
        for module, chosen, name in ((bad, first, "found"), (good, second, "sound")):
            work = _work(folder / code, name)
            _converted(module, work, chosen)
            _finish(work)


def _work(folder: Path, name: str) -> Path:
    work = folder / f"{name}.work"
    work.mkdir(parents=True)
    return work


def _finish(work: Path) -> None:
    (work / "model.tflite").rename(work.with_suffix(".tflite"))
