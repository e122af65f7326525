"""A public training module both ways, judged by eager TensorFlow."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from makers.common import convert, randomize

import tflrepair
from rebuild.public.samples import SAMPLES, Sample
from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.rebuild.requests import NoFlex

STEPS = 10
MOVES = 3


@dataclass(frozen=True, eq=False)
class Eager:
    """What eager TensorFlow does from ``start``.

    Attributes:
        after: the variables after one step; ``exact``: in float64.
        noise: by how much each moves at most when the inputs change by 1e-7 of themselves.
    """

    feed: dict[str, Any]
    losses: list[float]
    start: dict[str, Any]
    after: dict[str, Any]
    exact: dict[str, Any]
    noise: dict[str, float]


@dataclass(frozen=True)
class Row:
    """How one way went; ``text`` says what went wrong, ``where`` which variable is the farthest."""

    loss: float
    state: float
    where: str = ""
    text: str = ""

    def __str__(self) -> str:
        return self.text or f"{self.loss:.0e} | {self.state:.1f}"


def variables(module: Any) -> dict[str, Any]:
    """All variables by the name that the file gives them."""
    found = {v.path: v.value for v in module.net.variables}
    found |= {v.path: v.value for v in module.optimizer.variables}
    own = {v.name.split(":")[0]: v for v in vars(module).values() if isinstance(v, tf.Variable)}
    found |= {v.path: v.value for m in getattr(module, "metrics", ()) for v in m.variables}
    return found | own


def fed(module: Any, sample: Sample) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    feed: dict[str, Any] = {}
    for spec in module.functions["train"].input_signature:
        shape = [sample.batch if n is None else n for n in spec.shape]
        if spec.dtype.is_integer:
            feed[spec.name] = rng.integers(0, 10, shape).astype(np.int32)
        elif spec.name == "y" and shape[-1] > 1 and len(shape) == 2:
            feed[spec.name] = np.eye(shape[-1], dtype=np.float32)[
                rng.integers(0, shape[-1], shape[0])
            ]
        else:
            feed[spec.name] = rng.random(shape).astype(np.float32)
    return feed


def stepped(module: Any, start: dict[str, Any], feed: dict[str, Any]) -> tuple[float, Any]:
    """The loss of one step from ``start``, and the variables after it."""
    known = variables(module)
    for name, v in known.items():
        v.assign(start[name].astype(v.dtype.as_numpy_dtype))
    floats = tf.as_dtype(keras.config.floatx()).as_numpy_dtype
    given = {k: v.astype(floats) if v.dtype.kind == "f" else v for k, v in feed.items()}
    loss = module.functions["train"](**{k: tf.constant(v) for k, v in given.items()})["loss"]
    return float(loss), {name: np.array(v.numpy()) for name, v in known.items()}


def near(feed: dict[str, Any], seed: int) -> dict[str, Any]:
    """Each element up or down by 1e-7 of itself; all in one direction would be a change of scale,
    which batch normalization takes out again."""
    rng = np.random.default_rng(seed)
    return {
        k: (v * (1 + 1e-7 * rng.choice([-1, 1], v.shape))).astype(v.dtype)
        if v.dtype.kind == "f"
        else v
        for k, v in feed.items()
    }


def eager(module: Any, sample: Sample) -> Eager:
    feed = fed(module, sample)
    start = {name: np.array(v.numpy()) for name, v in variables(module).items()}
    moved = [stepped(module, start, near(feed, seed))[1] for seed in range(MOVES)]
    loss, after = stepped(module, start, feed)
    given = {k: tf.constant(v) for k, v in feed.items()}
    more = [float(module.functions["train"](**given)["loss"]) for _ in range(STEPS - 1)]
    for name, v in variables(module).items():
        v.assign(start[name])
    noise = {
        name: max(float(np.abs(other[name] - value).max(initial=0.0)) for other in moved)
        for name, value in after.items()
    }
    return Eager(feed, [loss, *more], start, after, exact(sample, start, feed), noise)


def exact(sample: Sample, start: dict[str, Any], feed: dict[str, Any]) -> dict[str, Any]:
    """The variables after one step in float64."""
    keras.backend.clear_session()
    keras.config.set_floatx("float64")
    try:
        return dict(stepped(sample.build(), start, feed)[1])
    finally:
        keras.config.set_floatx("float32")
        keras.backend.clear_session()  # or layers of later tests have the policy of these


def judged(data: bytes, wanted: Eager) -> Row:
    flex = flex_of(from_bytes(data))
    if flex:
        return Row(0, 0, text=f"Flex left: {', '.join(sorted(flex))}")
    interpreter = Interpreter(model_content=data)
    train = interpreter.get_signature_runner("train")
    losses = [float(train(**wanted.feed)["loss"])]
    state = interpreter.get_signature_runner("get_weights")()
    losses += [float(train(**wanted.feed)["loss"]) for _ in range(STEPS - 1)]
    pairs = zip(losses, wanted.losses, strict=True)
    loss = max(abs(a - b) / max(abs(b), 1e-3) for a, b in pairs)
    worst, where = 0.0, ""
    for name, value in state.items():
        if name not in wanted.after:  # the converter numbers what Keras saved twice
            name = re.sub(r"_\d+$", "", name)
        ratio = distance(name, value, wanted)
        if ratio > worst:
            worst, where = ratio, name
    return Row(loss, worst, where)


def distance(name: str, value: Any, wanted: Eager) -> float:
    """How far from float64 a variable is after one step, over what float32 cannot tell: how far
    eager is, or moves, or roundings of the value and of its step."""
    want = wanted.exact[name].astype(np.float64)
    theirs = float(np.abs(wanted.after[name] - want).max(initial=0.0))
    size = float(np.abs(want).max(initial=0.0))
    step = float(np.abs(want - wanted.start[name]).max(initial=0.0))
    floor = max(theirs, wanted.noise[name], 1e-7 * size, 1e-6 * step, 1e-30)
    return float(np.abs(value.astype(np.float64) - want).max(initial=0.0)) / floor


def flex_of(model: Model) -> set[str]:
    return {name for target in run_targets(AnalysisContext(model)) for name in target.flex}


def answered(module: Any, wanted: Eager, folder: Path) -> tuple[Path, Path]:
    """What the Python model answers, as a user stores it."""
    x = wanted.feed["x"]
    files = folder / "in.npz", folder / "answers.npz"
    answers = module.functions["infer"](tf.constant(x))
    np.savez(files[0], x=x)
    np.savez(files[1], **{name: value.numpy() for name, value in answers.items()})
    return files


def ways(module: Any, sample: Sample, wanted: Eager, folder: Path) -> Iterator[tuple[str, Any]]:
    keys = {
        key: f.get_concrete_function() if hasattr(f, "get_concrete_function") else f
        for key, f in module.functions.items()
    }
    tf.saved_model.save(module, str(folder / "saved_model"), signatures=keys)
    broken = folder / "model.tflite"
    broken.write_bytes(convert(folder / "saved_model", flex=True))
    before = load(broken)
    yield "flex", len(flex_of(before))
    yield "unset", sum(bool(v.unset_in) for v in AnalysisContext(before).analysis.variables)
    weights = folder / "net.weights.h5"
    module.net.save_weights(weights)
    sets = {
        name: str(float(value)) for name, value in wanted.start.items()
        if name.endswith(("learning_rate", *sample.sets))
    }  # fmt: skip
    unset = {v.name for v in AnalysisContext(before).analysis.variables if v.unset_in}
    check = answered(module, wanted, folder) if sample.check else None
    out = folder / "out.tflite"
    tflrepair.fix(
        broken, [weights], sets={k: v for k, v in sets.items() if k in unset}, out=out,
        no_flex=NoFlex(), run=sample.check, check=check,
    )  # fmt: skip
    yield "fix", judged(out.read_bytes(), wanted)
    yield "convert", judged(tflrepair.convert(module, keys, flex=False), wanted)


def one(name: str) -> dict[str, Any]:
    sample = SAMPLES[name]
    tf.keras.backend.clear_session()
    module = sample.build()
    randomize(list(module.net.variables), seed=2)
    wanted = eager(module, sample)
    found: dict[str, Any] = {"falls": wanted.losses[-1] < wanted.losses[0]}
    with tempfile.TemporaryDirectory() as folder:
        steps = ways(module, sample, wanted, Path(folder))
        try:
            for key, value in steps:
                found[key] = value
        except tflrepair.TflRepairError as error:
            found["error"] = f"{type(error).__name__}: {error}"
    return found
