"""Training on the desk, under LiteRT alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm
from build import Build, save_npz
from contract import hold

import tflrepair
from tflrepair.cli.commands import train as train_command
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError, UserError
from tflrepair.graph.model import from_bytes
from tflrepair.report.runs import train_text
from tflrepair.report.style import Style

pytestmark = pytest.mark.runs
interpreters = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sample = Path(tflrepair.__file__).parent / "samples"
    out = tmp_path_factory.mktemp("train") / "fixed.tflite"
    weights = [sample / "classifier.weights.h5"]
    tflrepair.fix(sample / "broken.tflite", weights, sets={"adam/learning_rate": "0.01"}, out=out)
    return out


def examples(sample: Path) -> dict[str, Any]:
    with np.load(sample / "training.npz") as stored:
        return {name: stored[name] for name in stored.files}


def test_the_loss_falls(fixed: Path, sample: Path) -> None:
    told: list[int] = []
    result = tflrepair.train(
        fixed, sample / "training.npz", steps=60, progress=lambda step, loss: told.append(step)
    )
    assert result.ok and result.ends < 0.6 * result.begins
    assert told == list(range(1, 61))
    assert (result.signature, result.batch) == ("train", 8)
    lines = train_text.lines(result, Style())
    assert lines[-1] == "It trains."
    assert len(train_text.curve(result.losses)) == 60


def test_steps_are_the_model_s_own(fixed: Path, sample: Path) -> None:
    """A batch of all that there is is the same each round, up to its order."""
    data = {name: value[:8] for name, value in examples(sample).items()}
    result = tflrepair.train(fixed, data, steps=5)
    run = interpreters.Interpreter(str(fixed)).get_signature_runner("train")
    wanted = [float(run(**data)["loss"]) for _ in range(5)]
    np.testing.assert_allclose(result.losses, wanted, rtol=1e-4)


def test_writes_the_trained_model(fixed: Path, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "trained.tflite"
    result = tflrepair.train(fixed, sample / "training.npz", steps=40, out=out)
    assert result.out == str(out) and tflrepair.scan(out).ok
    x = examples(sample)["x"][:1]
    state = tmp_path / "state.tflite"
    tflrepair.add_state(fixed, state)
    interpreter = interpreters.Interpreter(str(state))
    interpreter.get_signature_runner("set_weights")(**result.state)
    wanted = interpreter.get_signature_runner("infer")(x=x)["output"]
    found = interpreters.Interpreter(str(out)).get_signature_runner("infer")(x=x)["output"]
    np.testing.assert_array_equal(found, wanted)
    keys = [s.key for s in tflrepair.load(out).signatures]
    assert keys == [s.key for s in tflrepair.load(fixed).signatures]
    with pytest.raises(UserError, match="exists"):
        tflrepair.train(fixed, sample / "training.npz", steps=1, out=out)


def test_wrong_calls(fixed: Path, sample: Path) -> None:
    data = examples(sample)
    wrong: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"x": data["x"]}, {}, "the data has no y"),
        ({**data, "y": data["y"][:5]}, {}, "different numbers of examples"),
        ({**data, "x": data["x"][:, :2]}, {}, "shape"),
        ({**data, "x": data["x"].astype("U8")}, {}, "type"),
        (data, {"steps": 0}, "at least one step"),
        (data, {"batch": 3}, "fixed batch of 8"),
        (data, {"batch": 0}, "cannot be 0"),
        (data, {"signature": "nothing"}, "no signature"),
        (data, {"signature": "infer", "loss": "output"}, "infer trains nothing"),
        (data, {"loss": "nothing"}, "no output 'nothing'"),
    ]
    for arrays, options, message in wrong:
        with pytest.raises(UserError, match=message):
            tflrepair.train(fixed, arrays, **options)


def test_refuses_a_broken_model(sample: Path) -> None:
    with pytest.raises(RefusedError, match="no initial value"):
        tflrepair.train(sample / "broken.tflite", sample / "training.npz")


def test_refuses_flex(data: Path) -> None:
    half = {"x": np.ones((8, 4), np.float32)}
    with pytest.raises(UnsupportedError, match="needs Flex") as refusal:
        tflrepair.train(data / "half.tflite", half, signature="infer", loss="output")
    assert "--no-flex" in str(refusal.value.hint)


def test_a_model_that_cannot_be_run(fixed: Path, sample: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(fixed.read_bytes()[:30_000])
    with pytest.raises(TflRepairError):
        tflrepair.train(cut, sample / "training.npz")


def test_nan_is_a_problem(fixed: Path, sample: Path, tmp_path: Path) -> None:
    data = examples(sample)
    data["x"][:] = np.nan
    result = tflrepair.train(fixed, data, steps=3)
    assert not result.finite and not result.ok
    assert "nan from step 1 on" in train_text.lines(result, Style())[-2]
    assert result.advice == "input x has NaN in 384 of 384 values: clean the data"
    with pytest.raises(RefusedError, match="not finite") as refusal:
        tflrepair.train(fixed, data, steps=3, out=tmp_path / "out.tflite")
    assert refusal.value.hint == result.advice
    assert not (tmp_path / "out.tflite").exists()
    data["x"][:] = 3e38  # finite, but not what becomes of them
    assert "scale the inputs" in tflrepair.train(fixed, data, steps=3).advice


def test_command_line(fixed: Path, sample: Path) -> None:
    data = ["--data", str(sample / "training.npz"), "--format", "json"]
    done = warm.command_line("train", str(fixed), "--steps", "30", *data)
    answer = hold(json.loads(done.stdout))
    (found,) = answer["results"]
    assert (done.returncode, answer["schema"], found["ok"]) == (0, "tflrepair/train/2", True)
    assert len(found["losses"]) == 30


@pytest.mark.parametrize(
    ("name", "words"),
    [("fixed.tflite", "never overwritten"), ("out.tflite", "same file"), ("p.png", "matplotlib")],
)
def test_a_plot_is_refused_before_the_training(
    name: str, words: str, fixed: Path, sample: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model = tmp_path / "fixed.tflite"
    model.write_bytes(fixed.read_bytes())
    monkeypatch.setattr(train_text, "find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TflRepairError, match=words):
        train_command.train(
            str(model), str(sample / "training.npz"), out="out.tflite", plot=name, force=True
        )
    assert model.read_bytes() == fixed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["fixed.tflite"]


def test_demo_trains() -> None:
    command = [sys.executable, "-m", "tflrepair", "demo", "--train"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "It trains." in done.stdout and "equal to the last bit" in done.stdout


def test_a_batch_that_the_file_alone_makes_large(tmp_path: Path) -> None:
    """A model of some kilobytes asked for 800 MB of one example."""
    build = Build()
    train = build.sub("train", "train")
    train.input("FLOAT32", (100_000_000, 2))
    start = build.sub("start")
    start.assign(start.handle("v"), start.tensor(data=bytes(8)))
    train.call_once(1)
    handle = train.handle("v")
    train.assign(handle, train.read(handle))
    train.output(train.tensor("FLOAT32", (), bytes(4)))
    data = save_npz(tmp_path / "data.npz", {"in0": np.zeros((16, 2), np.float32)})
    with pytest.raises(UserError, match="above 64 MB no example is used twice"):
        tflrepair.train(from_bytes(build.bytes()), data)


def test_a_step_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflrepair.execution.train.STEP", 0.5)
    build = Build()
    train = build.sub("train", "train")
    start, condition, body = (build.sub(name) for name in ("start", "condition", "body"))
    start.assign(start.handle("v"), start.tensor(shape=(1,), data=bytes(4)))
    train.call_once(1)
    handle, out = train.handle("v"), train.tensor(shape=(1,))
    train.loop(2, 3, [train.input(shape=(1,))], [out])
    train.assign(handle, out)
    train.output(train.tensor("FLOAT32", (), bytes(4)))
    value, same = condition.input(shape=(1,)), condition.tensor("BOOL", (1,))
    condition.op("EQUAL", [value, value], [same])
    condition.output(same)
    body.output(body.input(shape=(1,)))
    with pytest.raises(UnsupportedError, match="may loop for ever"):
        tflrepair.train(from_bytes(build.bytes()), {"in0": np.zeros(1, np.float32)})
