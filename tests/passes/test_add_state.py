"""get_weights and set_weights grafted onto files, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflrepair
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError, UserError
from tflrepair.passes.add_state.plan import DONE, GET, SET

pytestmark = pytest.mark.runs
interpreters = pytest.importorskip("ai_edge_litert.interpreter")
X, Y = np.ones((1, 4), np.float32), np.zeros((1, 3), np.float32)


def runner(path: Path, key: str) -> Any:
    return interpreters.Interpreter(str(path)).get_signature_runner(key)


@pytest.fixture
def healthy(data: Path, tmp_path: Path) -> Path:
    out = tmp_path / "state.tflite"
    tflrepair.add_state(data / "healthy.tflite", out)
    return out


def test_changes(data: Path, healthy: Path) -> None:
    before, after = tflrepair.load(data / "healthy.tflite"), tflrepair.load(healthy)
    assert [s.key for s in after.signatures] == [*(s.key for s in before.signatures), GET, SET]
    assert bytes(after.data).endswith(bytes(before.data))
    assert tflrepair.scan(healthy).ok


def test_holds_what_is_assigned(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "table.tflite"
    result = tflrepair.add_state(data / "table.tflite", out)
    assert result.names == ("count",) and result.run is True


def test_twice_equals_once(healthy: Path, tmp_path: Path) -> None:
    result = tflrepair.add_state(healthy, tmp_path / "again.tflite")
    assert result.out is None
    assert not (tmp_path / "again.tflite").exists()


def test_other_signatures_answer_as_before(data: Path, healthy: Path) -> None:
    for key, feed in (("infer", {"x": X}), ("train", {"x": X, "y": Y})):
        old, new = (runner(path, key)(**feed) for path in (data / "healthy.tflite", healthy))
        for name, value in old.items():
            np.testing.assert_array_equal(new[name], value)


def test_state_survives_whatever_comes_first(healthy: Path) -> None:
    """A first call of another signature must not bring the initial values back."""
    first = interpreters.Interpreter(str(healthy))
    for _ in range(3):
        first.get_signature_runner("train")(x=X, y=Y)
    state = first.get_signature_runner(GET)()
    assert state["steps"] == 3
    second = interpreters.Interpreter(str(healthy))
    assert second.get_signature_runner(SET)(**state)[DONE] == 1
    answers = [i.get_signature_runner("infer")(x=X)["output"] for i in (first, second)]
    np.testing.assert_array_equal(*answers)
    assert second.get_signature_runner("train")(x=X, y=Y)["steps"] == 4


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_state_as_a_file(healthy: Path, tmp_path: Path, suffix: str) -> None:
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"state.{suffix}"
    first, second = (interpreters.Interpreter(str(healthy)) for _ in range(2))
    first.get_signature_runner("train")(x=X, y=Y)
    assert set(tflrepair.save_state(first, path)) == {"w", "b", "momentum", "steps"}
    tflrepair.load_state(second, path)
    for name, value in first.get_signature_runner(GET)().items():
        np.testing.assert_array_equal(second.get_signature_runner(GET)()[name], value)
    with pytest.raises(UserError, match="exists"):
        tflrepair.save_state(first, path)


def test_a_state_that_does_not_fit(data: Path, healthy: Path, tmp_path: Path) -> None:
    interpreter = interpreters.Interpreter(str(healthy))
    state = dict(interpreter.get_signature_runner(GET)())
    wrong: list[tuple[dict[str, Any], str]] = [
        ({k: v for k, v in state.items() if k != "b"}, "lacks 'b'"),
        ({**state, "c": X}, "no variable 'c'"),
        ({**state, "b": np.zeros(4, np.float32)}, r"float32\[4\]"),
        ({**state, "steps": np.zeros((), np.float32)}, "float32"),
    ]
    for number, (arrays, message) in enumerate(wrong):
        path = tmp_path / f"{number}.npz"
        np.savez(path, **arrays)
        with pytest.raises(RefusedError, match=message):
            tflrepair.load_state(interpreter, path)
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:50])
    with pytest.raises(TflRepairError):
        tflrepair.load_state(interpreter, tmp_path / "cut.npz")
    plain = interpreters.Interpreter(str(data / "healthy.tflite"))
    with pytest.raises(UnsupportedError, match=GET):
        tflrepair.save_state(plain, tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("partial", RefusedError, "uninitialized"),
        ("order", RefusedError, "order-dependent"),
        ("half", UnsupportedError, "Flex delegate"),
    ],
)
def test_refuses(
    data: Path, tmp_path: Path, name: str, error: type[TflRepairError], message: str
) -> None:
    out = tmp_path / "out.tflite"
    with pytest.raises(error, match=message):
        tflrepair.add_state(data / f"{name}.tflite", out, state="all")
    assert not out.exists()


def test_sample(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is uninitialized"):
        tflrepair.add_state(sample / "broken.tflite", tmp_path / "out.tflite")
    fixed = tmp_path / "fixed.tflite"
    weights = [sample / "classifier.weights.h5"]
    tflrepair.fix(sample / "broken.tflite", weights, sets={"adam/learning_rate": "1e-3"}, out=fixed)
    some = tflrepair.add_state(fixed, tmp_path / "some.tflite")
    every = tflrepair.add_state(fixed, tmp_path / "every.tflite", state="all")
    assert len(some.names) == 21 and len(every.names) == 22
    assert set(every.names) - set(some.names) == {"adam/learning_rate"}
    with pytest.raises(RefusedError, match="of its own"):
        tflrepair.add_state(tmp_path / "some.tflite", tmp_path / "no.tflite", state="all")
