"""Make the benchmark's files with one Keras: a broken model, weights in all forms, the answer.

    python benchmarks/matching_make.py OUT [--keras keras|tf_keras] [NAME...]

Every weight is random. The weights come from a donor; the model is another instance, made after
other layers, so that Keras's running numbers differ.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
from matching_models import EXPORTED, INFER_ONLY, models

MODELS = models()


def randomize(net: Any, rng: np.random.Generator) -> None:
    """Give each weight random values that keep activations of order one."""
    for variable in net.variables:
        shape = tuple(variable.shape)
        name = variable.path if hasattr(variable, "path") else variable.name
        role = name.split("/")[-1].split(":")[0]
        if "seed" in name or not np.issubdtype(variable.numpy().dtype, np.floating):
            continue
        if role in ("gamma", "scale") or "variance" in role:
            value = rng.uniform(0.6, 1.4, shape)
        elif len(shape) < 2:
            value = rng.normal(0, 0.2, shape)
        else:
            fan = shape[0] * shape[1] if "depthwise" in name else np.prod(shape[:-1])
            value = rng.normal(0, 1 / np.sqrt(fan), shape)
        variable.assign(value.astype("float32"))


def shift_numbers(keras: Any, count: int) -> None:
    """Layers made meanwhile, which take numbers."""
    lay = keras.layers
    makers = [
        lay.Conv2D, lay.DepthwiseConv2D, lay.SeparableConv2D, lay.Conv1D, lay.Conv2DTranspose
    ]  # fmt: skip
    for _ in range(count):
        lay.Dense(1), lay.BatchNormalization(), lay.LayerNormalization(), lay.Embedding(2, 2)
        lay.LSTM(1), lay.GRU(1), lay.MultiHeadAttention(1, 1), lay.SimpleRNN(1)
        for make in makers:
            make(1, 1) if make is not lay.DepthwiseConv2D else make(1)
    keras.Sequential([lay.Dense(1)])


def make(name: str, keras: Any, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sorted(MODELS).index(name))
    keras.utils.set_random_seed(7)
    donor = MODELS[name](keras)
    randomize(donor, rng)
    save_donor(donor, keras, out)
    if keras.__name__ == "tf_keras":  # its models convert right; its weights go into Keras 3's
        exported = EXPORTED.get(name, lambda _, whole: whole)(keras, donor)
        answers(Module(donor, exported, keras), rng, out)
        return
    shift_numbers(keras, 3)
    net = MODELS[name](keras)
    net.set_weights(donor.get_weights())
    exported = EXPORTED.get(name, lambda _, whole: whole)(keras, net)
    arrays = {(v.path if hasattr(v, "path") else v.name): v.numpy() for v in net.variables}
    if len(arrays) == len(net.variables):
        np.savez(out / "by_path.npz", **arrays)
    module = Module(net, exported, keras)
    signatures = {"infer": module.infer.get_concrete_function()}
    if name in INFER_ONLY:
        module.train = module.optimizer = None
    else:
        signatures["train"] = module.train.get_concrete_function()
    answers(module, rng, out)
    (out / "model.tflite").write_bytes(convert(module, signatures, out / "saved_model"))


def answers(module: Any, rng: np.random.Generator, out: Path) -> None:
    """What Python answers to random input."""
    import tensorflow as tf

    x = sample(module.spec, rng)
    np.savez(out / "io.npz", x=x, y=module.infer(tf.constant(x))["y"].numpy())


def sample(spec: Any, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(n or 2 for n in spec.shape)
    if spec.dtype.is_integer:
        return rng.integers(0, 20, shape).astype(spec.dtype.as_numpy_dtype)
    return rng.uniform(-1, 1, shape).astype("float32")


def save_donor(donor: Any, keras: Any, out: Path) -> None:
    """All forms that this Keras can write: only Keras 2 writes weights alone in the old form."""
    old = ("old_weights.h5",) if keras.__name__ == "tf_keras" else ()
    for file in ("donor.weights.h5", "donor.keras", "donor.h5", *old):
        try:
            if file in ("donor.keras", "donor.h5"):
                donor.save(out / file)
            else:
                donor.save_weights(out / file)
        except Exception as error:
            print(f"  {file}: {type(error).__name__}: {error}"[:160])
            (out / file).unlink(missing_ok=True)


def Module(net: Any, exported: Any, keras: Any) -> Any:
    import tensorflow as tf

    kind = getattr(exported, "inputs", None)
    first = kind[0] if kind else None
    shape = tuple(first.shape)[1:] if first is not None else (8,)
    spec = tf.TensorSpec((2, *shape), getattr(first, "dtype", "float32"))

    class Training(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.spec = net, spec
            self.optimizer = keras.optimizers.Adam(1e-3)
            if keras.__name__ != "tf_keras":
                self.optimizer.build(exported.trainable_variables)

        @tf.function(input_signature=[spec])
        def infer(self, x: Any) -> Any:
            return {"y": exported(x, training=False)}

        @tf.function(input_signature=[spec])
        def train(self, x: Any) -> Any:
            variables = exported.trainable_variables
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(exported(x, training=False) ** 2)
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return {"loss": loss}

    return Training()


def convert(module: Any, signatures: Any, folder: Path) -> bytes:
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures=signatures)
    except AssertionError:  # untracked random state in the training function
        signatures.pop("train", None)
        module.train = None
        tf.saved_model.save(module, str(folder), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS, ops.SELECT_TF_OPS]
    converter.experimental_enable_resource_variables = True
    converter.allow_custom_ops = True
    result: bytes = converter.convert()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--keras", default="keras")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    keras = __import__(options.keras)
    for name in options.names or MODELS:
        folder = options.out / name
        if (folder / "io.npz").exists():
            continue
        print(name, flush=True)
        try:
            keras.backend.clear_session()
            make(name, keras, folder)
        except Exception as error:
            traceback.print_exc(limit=3)
            (folder / "failed.json").write_text(json.dumps({"error": str(error)[:2000]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
