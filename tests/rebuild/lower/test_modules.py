"""Training modules of many kinds, from broken files: they train like eager, without Flex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import made

from rebuild.lower.judging import DELEGATES, judge, lowered
from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import from_bytes
from tflrepair.rebuild.lower.convert import Result

pytestmark = [pytest.mark.tf, pytest.mark.slow]
NAMES = (
    "dense_gelu", "cnn", "grouped", "batch_norm", "depthwise", "pools", "up_nearest", "conv3d",
    "lstm_loop", "embedding", "attention", "text", "ema", "swa",
)  # fmt: skip
AVERAGED = {"ema", "swa"}
LOOPS = {"lstm_loop", "text"}


@pytest.fixture(scope="module", params=NAMES)
def module(request: pytest.FixtureRequest) -> tuple[str, Any, Result]:
    folder: Path = made("training") / request.param
    with np.load(folder / "eager.npz") as stored:
        eager = {name: stored[name] for name in stored.files}
    return request.param, eager, lowered(folder)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_trains_like_eager(module: Any, delegate: str) -> None:
    name, eager, result = module
    verdict = judge(result.data, eager, delegate)
    assert verdict.infer <= 1e-5
    assert verdict.gradient <= 5, f"{name}: {verdict.where}"
    assert verdict.loss <= 1e-4
    assert (verdict.average is not None) == (name in AVERAGED)


def test_has_no_flex_and_an_open_batch(module: Any) -> None:
    name, eager, result = module
    targets = run_targets(AnalysisContext(from_bytes(result.data)))
    assert not any(target.flex for target in targets)
    assert targets[0].label == "infer" and targets[0].subgraph == 0
    interpreter = Interpreter(model_content=result.data)
    train = interpreter.get_signature_runner("train")
    for rows in ([0], [0, 1, 2, 0, 1, 2, 0, 1]):
        assert np.isfinite(train(x=eager["x"][rows], y=eager["y"][rows])["loss"])
    unrolled = [note for note in result.notes if "unrolled" in note]
    assert bool(unrolled) == (name in LOOPS)


def test_compiled_model_trains_alike(module: Any, tmp_path: Path) -> None:
    """LiteRT's newer interface, on the CPU, with batches that change."""
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator

    _, eager, result = module
    path = tmp_path / "model.tflite"
    path.write_bytes(result.data)
    model = CompiledModel.from_file(str(path), HardwareAccelerator.CPU)
    train = Interpreter(model_content=result.data).get_signature_runner("train")
    for rows in ([0, 1, 2], [0], [0, 1, 2, 0, 1, 2, 0, 1]):
        feed = {"x": eager["x"][rows], "y": eager["y"][rows]}
        for name, value in feed.items():
            model.resize_input_tensor_by_name("train", name, value.shape)
        buffers = {name: model.create_input_buffer_by_name("train", name) for name in feed}
        for name, value in feed.items():
            buffers[name].write(np.ascontiguousarray(value))
        loss = model.create_output_buffer_by_name("train", "loss")
        model.run_by_name("train", buffers, {"loss": loss})
        np.testing.assert_allclose(loss.read(1, np.float32)[0], train(**feed)["loss"], rtol=1e-5)


def test_state_goes_into_a_fresh_interpreter(module: Any) -> None:
    _, eager, result = module
    first, second = (Interpreter(model_content=result.data) for _ in range(2))
    first.get_signature_runner("train")(x=eager["x"], y=eager["y"])
    state = first.get_signature_runner("get_weights")()
    assert second.get_signature_runner("set_weights")(**state)["done"] == 1
    for key, feed in (("infer", {"x": eager["x"]}), ("get_weights", {})):
        answers = [i.get_signature_runner(key)(**feed) for i in (first, second)]
        for name, value in answers[0].items():
            np.testing.assert_array_equal(value, answers[1][name])
