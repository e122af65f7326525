"""A public training module both ways, judged by eager TensorFlow."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, eq=False)
class Eager:
    """What eager TensorFlow does from ``start``: losses, and the variables after one step."""

    feed: dict[str, Any]
    losses: list[float]
    start: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """How one way went; ``text`` says what went wrong."""

    loss: float
    state: float
    text: str = ""

    def __str__(self) -> str:
        return self.text or f"{self.loss:.0e} | {self.state:.0e}"


def variables(module: Any) -> dict[str, Any]:
    """All variables by the name that the file gives them."""
    found = {v.path: v.value for v in module.net.variables}
    found |= {v.path: v.value for v in module.optimizer.variables}
    own = {v.name.split(":")[0]: v for v in vars(module).values() if isinstance(v, tf.Variable)}
    return found | own


def eager(module: Any, sample: Sample) -> Eager:
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
    known = variables(module)
    start = {name: np.array(v.numpy()) for name, v in known.items()}
    train = module.functions["train"]
    losses = []
    for number in range(STEPS):
        losses.append(float(train(**{k: tf.constant(v) for k, v in feed.items()})["loss"]))
        if not number:
            after = {name: np.array(v.numpy()) for name, v in known.items()}
    for name, v in known.items():
        v.assign(start[name])
    return Eager(feed, losses, start, after)


def judged(data: bytes, wanted: Eager) -> Row:
    flex = flex_of(from_bytes(data))
    if flex:
        return Row(0, 0, f"Flex left: {', '.join(sorted(flex))}")
    interpreter = Interpreter(model_content=data)
    train = interpreter.get_signature_runner("train")
    losses = [float(train(**wanted.feed)["loss"])]
    state = interpreter.get_signature_runner("get_weights")()
    losses += [float(train(**wanted.feed)["loss"]) for _ in range(STEPS - 1)]
    pairs = zip(losses, wanted.losses, strict=True)
    loss = max(abs(a - b) / max(abs(b), 1e-3) for a, b in pairs)
    worst = 0.0
    for name, value in state.items():
        if name not in wanted.after:  # the converter numbers what Keras saved twice
            name = re.sub(r"_\d+$", "", name)
        want = wanted.after[name].astype(np.float64)
        step = np.abs(want - wanted.start[name]).max()
        if step > 0:
            worst = max(worst, float(np.abs(value - want).max() / step))
    return Row(loss, worst)


def flex_of(model: Model) -> set[str]:
    return {name for target in run_targets(AnalysisContext(model)) for name in target.flex}


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
        if name.endswith("learning_rate")
    }  # fmt: skip
    unset = {v.name for v in AnalysisContext(before).analysis.variables if v.unset_in}
    out = folder / "out.tflite"
    tflrepair.fix(
        broken, [weights], sets={k: v for k, v in sets.items() if k in unset}, out=out,
        no_flex=NoFlex(), run=False,
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
