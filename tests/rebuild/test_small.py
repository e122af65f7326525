"""A Keras classifier with Adam, rebuilt each way, against eager TensorFlow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import Session, rows

from rebuild.common import values_of
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import analyse
from tflrepair.errors import BadFileError, RefusedError, UserError
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.rebuild.emit.python_file import emit_python
from tflrepair.rebuild.origins.saved_model import rebuild_from_saved_model
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.origins.user_module import rebuild_from_module
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
MAKER = Path(__file__).parent.parent / "makers" / "small.py"


@pytest.fixture(scope="module")
def model(small: Path) -> Model:
    return load(small / "model.tflite")


@pytest.fixture(scope="module")
def values(small: Path, model: Model) -> dict[ResourceId, Any]:
    return values_of(model, small / "values.npz")


@pytest.fixture
def target(tmp_path: Path) -> str:
    """The maker's class in a file of its own, as a user would have it."""
    shutil.copy(MAKER, tmp_path / "classifier.py")
    return f"{tmp_path / 'classifier.py'}:Classifier"


def trains_like_eager(data: bytes, small: Path) -> None:
    """Untrained answers, ten losses and trained answers, in one interpreter, `infer` first."""
    before, after = np.load(small / "io.npz"), np.load(small / "training.npz")
    session = Session(data)
    np.testing.assert_allclose(rows(session, before["x"]), before["output"], atol=1e-5)
    losses = [session.run("train", x=after["x"], y=after["y"])["loss"] for _ in range(10)]
    np.testing.assert_allclose(losses, after["loss"], atol=1e-4)
    np.testing.assert_allclose(rows(session, after["x"]), after["output"], atol=1e-4)


def test_from_the_tflite_alone(model: Model, values: dict[ResourceId, Any], small: Path) -> None:
    data = rebuild_from_tflite(model, values)
    trains_like_eager(data, small)


def test_reference_trains_like_eager(
    model: Model, values: dict[ResourceId, Any], small: Path
) -> None:
    io, training = np.load(small / "io.npz"), np.load(small / "training.npz")
    step = ("train", {"x": training["x"], "y": training["y"]})
    ask = [("infer", {"x": row[None]}) for row in io["x"]]
    answers = run_reference(model, values, [*ask, *[step] * 10, *ask])
    first = np.concatenate([a["output"] for a in answers[:8]])
    np.testing.assert_allclose(first, io["output"], atol=1e-6)
    losses = [a["loss"] for a in answers[8:18]]
    np.testing.assert_allclose(losses, training["loss"], atol=1e-5)
    last = np.concatenate([a["output"] for a in answers[18:]])
    np.testing.assert_allclose(last, training["output"], atol=1e-5)


def test_reference_starts_anew(model: Model, values: dict[ResourceId, Any], small: Path) -> None:
    training = np.load(small / "training.npz")
    step = ("train", {"x": training["x"], "y": training["y"]})
    first, second = (run_reference(model, values, [step])[0] for _ in range(2))
    assert first["loss"] == second["loss"]


def test_emitted_file_converts_by_itself(
    model: Model, values: dict[ResourceId, Any], small: Path, tmp_path: Path
) -> None:
    out = tmp_path / "classifier.py"
    emit_python(model, values, out)
    environment = {**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-P", str(out)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    trains_like_eager((tmp_path / "classifier.tflite").read_bytes(), small)
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert again.returncode != 0 and b"FileExistsError" in again.stderr


def test_emitted_file_is_readable(
    model: Model, values: dict[ResourceId, Any], tmp_path: Path
) -> None:
    emit_python(model, values, tmp_path / "out.py")
    text = (tmp_path / "out.py").read_text(encoding="utf-8")
    assert "import tflrepair" not in text and "from tflrepair" not in text
    assert "class ModelModule(tf.Module):" in text
    assert "    def infer(self, x: Any)" in text
    assert re.search(r"        (classifier_dense_\d_kernel) = self\.\1\.read_value\(\)\n", text)


def test_emit_does_not_overwrite(
    model: Model, values: dict[ResourceId, Any], tmp_path: Path
) -> None:
    (tmp_path / "out.npz").write_bytes(b"mine")
    with pytest.raises(UserError, match="exists"):
        emit_python(model, values, tmp_path / "out.py")
    assert (tmp_path / "out.npz").read_bytes() == b"mine"
    assert not (tmp_path / "out.py").exists()
    emit_python(model, values, tmp_path / "out.py", force=True)
    with pytest.raises(UserError, match=r"ends in \.py"):
        emit_python(model, values, tmp_path / "out.txt")


def test_from_the_saved_model(model: Model, values: dict[ResourceId, Any], small: Path) -> None:
    trains_like_eager(rebuild_from_saved_model(model, small / "saved_model", {}), small)


def changed(values: dict[ResourceId, Any]) -> dict[ResourceId, Any]:
    """Other values than the SavedModel and the module's weights file have."""
    return {
        key: value + np.float32(0.25) if value.dtype == np.float32 and value.ndim else value
        for key, value in values.items()
    }


def answers_like_reference(
    data: bytes, model: Model, values: dict[ResourceId, Any], small: Path
) -> None:
    """`infer` before and after training, so that optimizer slots count, too."""
    training = np.load(small / "training.npz")
    x, step = training["x"][:1], {"x": training["x"], "y": training["y"]}
    calls = [("infer", {"x": x}), ("train", step), ("train", step), ("infer", {"x": x})]
    session = Session(data)
    for (key, inputs), expected in zip(calls, run_reference(model, values, calls), strict=True):
        found = session.run(key, **inputs)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5)


def test_saved_model_takes_weights(
    model: Model, values: dict[ResourceId, Any], small: Path
) -> None:
    other = changed(values)
    data = rebuild_from_saved_model(model, small / "saved_model", other)
    answers_like_reference(data, model, other, small)


def test_users_module_takes_weights(
    model: Model, values: dict[ResourceId, Any], small: Path, target: str
) -> None:
    """Keras numbers this process's layers otherwise than the maker's."""
    other = changed(values)
    weights = {"weights": str(small / "classifier.weights.h5")}
    data = rebuild_from_module(model, target, other, weights)
    answers_like_reference(data, model, other, small)


def test_saved_model_refusals(
    model: Model, values: dict[ResourceId, Any], small: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"no saved_model\.pb"):
        rebuild_from_saved_model(model, tmp_path, {})
    (tmp_path / "saved_model.pb").write_bytes(b"\x00not a protobuf")
    with pytest.raises(BadFileError, match="cannot load"):
        rebuild_from_saved_model(model, tmp_path, {})
    key = next(iter(values))
    with pytest.raises(RefusedError, match="but its value is"):
        rebuild_from_saved_model(model, small / "saved_model", {key: np.zeros((9, 9), np.float32)})
    stranger = ResourceId("builtin", "", "nobody/kernel")
    with pytest.raises(RefusedError, match="no variable for these values: nobody/kernel"):
        rebuild_from_saved_model(model, small / "saved_model", {stranger: np.zeros(1, np.float32)})


def test_saved_model_without_the_signature(small: Path, reported: Path) -> None:
    other = load(reported / "model.tflite")
    with pytest.raises(UserError, match="no signature restore, save, serving_default"):
        rebuild_from_saved_model(other, small / "saved_model", {})


def test_from_the_users_module(
    model: Model, values: dict[ResourceId, Any], small: Path, target: str
) -> None:
    weights = {"weights": str(small / "classifier.weights.h5")}
    trains_like_eager(rebuild_from_module(model, target, {}, weights), small)


USER = """
import tensorflow as tf
class Wrong(tf.Module):
    pass
class Fails(tf.Module):
    def __init__(self):
        raise RuntimeError("no luck")
class Needs(tf.Module):
    def __init__(self, units):
        super().__init__()
class Plain:
    pass
class Close(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, name="x")])
    def answer(self, x):
        return {"output": x}
    @tf.function
    def other(self, x):
        return {"output": x + 1}
class Broken(tf.Module):
    @tf.function
    def infer(self, x):
        raise KeyError("inside")
"""


@pytest.mark.parametrize(
    ("target", "kwargs", "message"),
    [
        ("user.py", {}, "is not of the form"),
        ("absent.py:Wrong", {}, "there is no such file"),
        ("bad.py:Wrong", {}, "cannot be imported: ModuleNotFoundError"),
        ("exits.py:Wrong", {}, "cannot be imported: SystemExit"),
        ("user.py:Absent", {}, "has no class Absent; it has: Wrong, Fails, Needs"),
        ("user.py:Plain", {}, "not a subclass of tf.Module"),
        ("user.py:Needs", {}, "missing a required argument: 'units'"),
        ("user.py:Needs", {"unit": 3}, "missing a required argument|unexpected keyword"),
        ("user.py:Fails", {}, "cannot be built: RuntimeError: no luck"),
        ("user.py:Wrong", {}, "no tf.function infer"),
        ("user.py:Close", {}, "answer and other"),
        ("user.py:Broken", {}, "cannot be traced"),
    ],
)
def test_users_module_refusals(
    model: Model, tmp_path: Path, target: str, kwargs: dict[str, Any], message: str
) -> None:
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "bad.py").write_text("import there_is_no_such_package")
    (tmp_path / "exits.py").write_text("raise SystemExit(3)")
    with pytest.raises(UserError, match=message):
        rebuild_from_module(model, str(tmp_path / target), {}, kwargs)


def test_users_module_with_wrong_weights(
    model: Model, values: dict[ResourceId, Any], small: Path, target: str
) -> None:
    weights = {"weights": str(small / "classifier.weights.h5")}
    with pytest.raises(RefusedError, match="no variable for these values: nobody"):
        rebuild_from_module(
            model, target, {ResourceId("builtin", "", "nobody"): np.zeros(3, np.float32)}, weights
        )


def test_missing_and_unfit_values(model: Model, values: dict[ResourceId, Any]) -> None:
    (key, value), *others = values.items()
    with pytest.raises(RefusedError, match=f"1 variable has no value: {key.shared_name}"):
        rebuild_from_tflite(model, dict(others))
    with pytest.raises(RefusedError, match="but its value is"):
        rebuild_from_tflite(model, {**values, key: np.zeros((2, 7), np.float32)})
    with pytest.raises(RefusedError, match="but its value is float64"):
        rebuild_from_tflite(model, {**values, key: value.astype(np.float64)})
    with pytest.raises(RefusedError, match="no variable for these values: nobody"):
        rebuild_from_tflite(model, {**values, ResourceId("builtin", "", "nobody"): value})


def test_reference_refuses_wrong_calls(model: Model, values: dict[ResourceId, Any]) -> None:
    x = np.zeros((1, 4), np.float32)
    for call, message in (
        (("absent", {"x": x}), "no signature absent; there are: infer, train"),
        (("infer", {"z": x}), "takes x; given: z"),
        (("infer", {"x": x[:, :2]}), "has shape"),
        (("infer", {"x": np.array(["a"])}), "does not fit"),
    ):
        with pytest.raises(UserError, match=message):
            run_reference(model, values, [call])


def test_rebuilt_again_is_the_same(
    model: Model, values: dict[ResourceId, Any], small: Path
) -> None:
    rebuilt = from_bytes(rebuild_from_tflite(model, values))
    assert all(v.status == VariableStatus.INITIALIZED for v in analyse(rebuilt).variables)
    trains_like_eager(rebuild_from_tflite(rebuilt, {}), small)
