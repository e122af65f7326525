"""Make the files of the evidence benchmark: weights of one program, models of another.

    python benchmarks/evidence/evidence_make.py donors OUT [NAME...]     weights, in all forms
    python benchmarks/evidence/evidence_make.py models OUT [NAME...]     models in their place

``donors`` may be run with another Keras (PYTHONPATH); ``donors2`` is of tf-keras. Each array is
random and unlike all others,
so which one a variable must get shows in its value.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import zlib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from evidence_case import Made, cases
from matching_make import convert, randomize, shift_numbers


def donor(name: str, keras: Any, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(3)
    made = cases()[name][1](keras, False)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    randomize(made.net, rng)
    if made.optimizer is not None:
        made.net.compile(made.optimizer(keras), "mse")
    for file in ("donor.weights.h5", "donor.keras", "donor.h5"):
        try:
            save = made.net.save_weights if "weights" in file else made.net.save
            save(out / file)
        except Exception as error:
            print(f"  {file}: {type(error).__name__}: {error}"[:160])
            (out / file).unlink(missing_ok=True)
    arrays = {_path(v): v.numpy() for v in made.net.variables}
    if len(arrays) == len(made.net.variables):
        np.savez(out / "donor.npz", **arrays)
    values = {f"{p}.{i}": v.numpy() for p, vs in made.parts.items() for i, v in enumerate(vs)}
    np.savez(out / "parts.npz", **values)


def _path(variable: Any) -> str:
    return str(getattr(variable, "path", variable.name)).removesuffix(":0")


def models(name: str, keras: Any, out: Path) -> None:
    """Two models of the exported program, with and without training, and their truth."""
    import tensorflow as tf

    values = np.load(out / "parts.npz")
    for what in ("train", "infer"):
        keras.backend.clear_session()
        shift_numbers(keras, 2)
        made = cases()[name][1](keras, True)
        if what == "train" and not made.train:
            continue
        owner: dict[bytes, str] = {}
        rng = np.random.default_rng(99)
        for variable in [*made.net.variables, *made.extra]:
            if np.issubdtype(variable.numpy().dtype, np.floating):
                size = tuple(variable.shape)
                variable.assign(rng.uniform(0.5, 1.5, size).astype("float32"))
        for part, variables in made.parts.items():
            for i, variable in enumerate(variables):
                if f"{part}.{i}" in values:
                    variable.assign(values[f"{part}.{i}"])
                    owner[values[f"{part}.{i}"].tobytes()] = f"{part}.{i}"
        module = _module(made, keras, what == "train")
        signatures = {"infer": module.infer.get_concrete_function()}
        if what == "train":
            signatures["train"] = module.train.get_concrete_function()
        folder = out / f"{what}_saved_model"
        data = convert(module, signatures, folder)
        if what == "train" and module.train is None:
            continue
        (out / f"{what}.tflite").write_bytes(data)
        from tflrepair.weights import open_weights

        kept = open_weights(folder).weights
        truth = {w.path: owner.get(w.read().tobytes(), "") for w in kept}
        if made.optimizer is not None:
            mine = {
                v.numpy().tobytes() for v in made.net.variables
            }  # whether the donor has it or not
            held = {w.path: w.read() for w in kept if not truth[w.path]}
            starts: dict[str, Any] = {
                path.replace("/", "|"): x for path, x in held.items() if x.tobytes() not in mine
            }
            np.savez(out / f"{what}_starts.npz", **starts)
        (out / f"{what}.json").write_text(json.dumps(truth, indent=1))
        x = rng.uniform(-1, 1, (2, *made.shape)).astype("float32")
        x = (x * 3 + 3).astype(made.dtype) if "int" in made.dtype else x
        np.savez(out / f"{what}_io.npz", x=x, y=module.infer(tf.constant(x))["y"].numpy())


def _module(made: Made, keras: Any, train: bool) -> Any:
    import tensorflow as tf

    run = made.run() if made.run is not None else made.net
    trained = list(made.net.trainable_variables if made.trained is None else made.trained)
    spec = tf.TensorSpec((2, *made.shape), made.dtype)

    class Exported(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.run, self.net, self.extra = run, made.net, list(made.extra)
            if train:
                make = made.optimizer or (lambda k: k.optimizers.Adam(1e-3))
                self.optimizer = make(keras)
                self.optimizer.build(trained)
                self.inner = getattr(self.optimizer, "inner_optimizer", None)
            else:
                object.__setattr__(self, "train", None)

        @tf.function(input_signature=[spec])
        def infer(self, x: Any) -> Any:
            y = run(x)
            y = (
                y
                if not isinstance(y, (list, tuple))
                else tf.concat([tf.reshape(t, [2, -1]) for t in y], 1)
            )
            return {"y": y}

        @tf.function(input_signature=[spec])
        def train(self, x: Any) -> Any:
            with tf.GradientTape() as tape:
                y = run(x)
                ys = y if isinstance(y, (list, tuple)) else [y]
                loss = tf.add_n([tf.reduce_mean(y**2) for y in ys])
            gradients = tape.gradient(loss, trained)
            pairs = [(g, v) for g, v in zip(gradients, trained, strict=True) if g is not None]
            self.optimizer.apply_gradients(pairs)
            return {"loss": loss}

    return Exported()


class TfKeras:
    """tf-keras with the few functions of Keras 3 that the programs call."""

    def __init__(self) -> None:
        import tensorflow as tf
        import tf_keras

        self._all = tf_keras
        self.ops = SimpleNamespace(
            matmul=tf.matmul, mean=tf.reduce_mean, tanh=tf.tanh, zeros=tf.zeros
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._all, name)


def main() -> int:
    what, out, *names = sys.argv[1:]
    keras: Any = TfKeras() if what == "donors2" else import_module("keras")
    done = "infer.tflite" if what == "models" else "parts.npz"
    for name in names or cases():
        folder = Path(out) / name
        if (folder / done).exists():
            continue
        print(name, flush=True)
        try:
            keras.backend.clear_session()
            (models if what == "models" else donor)(name, keras, folder)
        except Exception:
            traceback.print_exc(limit=4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
