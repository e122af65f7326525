"""The reported model, from its broken file and weights, trained on a stock LiteRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import tflrepair
from tflrepair.graph.model import load
from tflrepair.rebuild.requests import NoFlex
from tflrepair.rebuild.run.reference import run_reference

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SETS = {"adam/learning_rate": "1e-4"}
LABELS = np.eye(62, dtype=np.float32)[[1, 5, 9, 20, 33, 60]]


@pytest.fixture(scope="module")
def fixed(reported: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("noflex") / "fixed.tflite"
    weights = [reported / "new_model.weights.h5"]
    return tflrepair.fix(reported / "model.tflite", weights, sets=SETS, out=out, no_flex=NoFlex())


@pytest.fixture(scope="module")
def kernels(reported: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ten steps and `infer` with TensorFlow's own kernels."""
    out = tmp_path_factory.mktemp("graft") / "fixed.tflite"
    weights = [reported / "new_model.weights.h5"]
    tflrepair.fix(reported / "model.tflite", weights, sets=SETS, out=out)
    images = np.load(reported / "io.npz")["x"]
    calls: list[Any] = [("train", {"x": images, "y": LABELS})] * 10 + [("infer", {"x": images})]
    return run_reference(load(out), {}, calls)


def test_says_what_was_dropped(fixed: Any) -> None:
    notes = "\n".join(fixed.notes)
    assert "signature save dropped" in notes and "signature restore dropped" in notes
    assert "--keep-flex" in notes
    assert not fixed.problems


def test_every_signature_ran(fixed: Any) -> None:
    ran = {run.signature for run in fixed.run.runs if run.status == "ok"}
    assert ran == {"infer", "serving_default", "train", "get_weights", "set_weights"}


def test_ten_steps_like_tensorflow(fixed: Any, kernels: Any, reported: Path) -> None:
    images = np.load(reported / "io.npz")["x"]
    interpreter = Interpreter(fixed.out, num_threads=2)
    train = interpreter.get_signature_runner("train")
    losses = [float(train(x=images, y=LABELS)["loss"]) for _ in range(10)]
    wanted = [float(answer["loss"]) for answer in kernels[:10]]
    np.testing.assert_allclose(losses, wanted, rtol=1e-4)
    assert losses[-1] < losses[0]
    answer = interpreter.get_signature_runner("infer")(x=images)["output"]
    np.testing.assert_allclose(answer, kernels[10]["output"], atol=1e-5)
    state = interpreter.get_signature_runner("get_weights")()
    fresh = Interpreter(fixed.out, num_threads=2)
    fresh.get_signature_runner("set_weights")(**state)
    again = fresh.get_signature_runner("infer")(x=images)["output"]
    np.testing.assert_array_equal(again, answer)
