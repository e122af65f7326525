"""The library as one who has not read its source would call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflrepair
from tflrepair import TflRepairError
from tflrepair.views.values import array
from tflrepair.wording import kind_of

RATE = {"adam/learning_rate": "0.001"}


def test_dir_shows_the_api() -> None:
    assert set(tflrepair.__all__) <= set(dir(tflrepair))
    assert "BUILTIN_OPERATOR_NAMES" not in dir(tflrepair)


@pytest.mark.parametrize("kind", ["str", "path", "bytes", "bytearray", "memoryview", "model"])
def test_a_model_is_a_path_bytes_or_a_model(data: Path, kind: str) -> None:
    file = data / "partial.tflite"
    given: Any = {
        "str": str(file),
        "path": file,
        "bytes": file.read_bytes(),
        "bytearray": bytearray(file.read_bytes()),
        "memoryview": memoryview(file.read_bytes()),
        "model": tflrepair.load(file),
    }[kind]
    found = tflrepair.scan(given)
    assert [v.name for v in found.variables] == [v.name for v in tflrepair.scan(file).variables]
    assert tflrepair.load(given).signatures["infer"].key == "infer"
    assert tflrepair.show(given).is_overview
    assert tflrepair.diff(given, file).same


def test_weights_are_one_source_or_many(data: Path) -> None:
    file, weights = data / "partial.tflite", data / "partial.npz"
    arrays = dict(np.load(weights))
    for given in (str(weights), weights, arrays, [weights], (arrays,)):
        result = tflrepair.fix(file, given, by_name=True, dry_run=True)
        assert result.plan is not None and result.plan.changes


@pytest.mark.runs
def test_bytes_are_repaired_and_run(sample: Path, tmp_path: Path) -> None:
    broken = (sample / "broken.tflite").read_bytes()
    weights = sample / "classifier.weights.h5"
    out = tmp_path / "fixed.tflite"
    result = tflrepair.fix(broken, weights, sets=RATE, out=out)
    assert out.is_file() and all(v.initial is not None for v in result.variables)
    by_path = tflrepair.fix(
        sample / "broken.tflite", weights, sets=RATE, out=tmp_path / "other.tflite"
    )
    assert by_path.out and Path(by_path.out).read_bytes() == out.read_bytes()
    report = tflrepair.verify(out.read_bytes(), against=tflrepair.load(out), runtimes=["litert"])
    assert report.ok and report.model == "the given model"


def test_bytes_need_an_output(sample: Path) -> None:
    with pytest.raises(TflRepairError, match="out="):
        tflrepair.fix((sample / "broken.tflite").read_bytes(), sample / "classifier.weights.h5")


@pytest.mark.parametrize("wrong", [None, 7, ["a"], {"a": 1}, object()])
@pytest.mark.parametrize("name", ["scan", "load", "verify", "show", "fix"])
def test_what_is_no_model_is_an_error_of_ours(name: str, wrong: Any) -> None:
    with pytest.raises(TflRepairError):
        getattr(tflrepair, name)(wrong)


@pytest.mark.parametrize("name", ["healthy", "f16", "table"])
def test_constants_are_arrays(data: Path, name: str) -> None:
    shown = tflrepair.show(data / f"{name}.tflite")
    roles = set()
    for view in shown.views:
        for tensor in map(view.subgraph.tensor, range(view.subgraph.tensor_count)):
            row = view.tensor(tensor.index)
            roles.add(row.role)
            if row.role == "constant":
                assert np.array_equal(tensor.numpy(), array(shown.model, row))
            elif tensor.shape:
                with pytest.raises(TflRepairError, match="no values"):
                    tensor.numpy()
    assert "constant" in roles and len(roles) > 1


def test_an_unknown_signature_lists_those_there_are(data: Path) -> None:
    signatures = tflrepair.load(data / "partial.tflite").signatures
    assert signatures[0] is signatures[signatures[0].key]
    assert signatures[:1] == (signatures[0],)
    with pytest.raises(TflRepairError, match="infer"):
        signatures["nothing"]


def test_explain_is_a_function() -> None:
    assert "initial value" in tflrepair.explain("TFR001")


@pytest.mark.parametrize("wrong", ["", "/", Path(), 7, ["a"], None])
def test_a_repair_names_what_is_wrong_with_the_model(data: Path, wrong: Any) -> None:
    with pytest.raises(TflRepairError, match=r"is not a model|is empty|is a directory"):
        tflrepair.fix(wrong, data / "partial.npz")


@pytest.mark.parametrize("wrong", [None, 7, b"TFR001", Path("TFR001"), ["TFR001"]])
def test_what_is_no_text_is_not_explained(wrong: Any) -> None:
    with pytest.raises(TflRepairError, match="is no text"):
        tflrepair.explain(wrong)


@pytest.mark.parametrize("wrong", [None, 7, "model.tflite", b"TFL3", object()])
def test_state_is_that_of_an_interpreter(tmp_path: Path, wrong: Any) -> None:
    np.savez(tmp_path / "s.npz", w=np.zeros(1))
    with pytest.raises(TflRepairError, match="is not an interpreter"):
        tflrepair.save_state(wrong, tmp_path / "new.npz")
    with pytest.raises(TflRepairError, match="is not an interpreter"):
        tflrepair.load_state(wrong, tmp_path / "s.npz")


def test_a_value_is_called_by_its_type() -> None:
    assert [kind_of(v) for v in (None, 1, [], object())] == [
        "None",
        "an int",
        "a list",
        "an object",
    ]


def test_all_tensors_and_operators_of_a_subgraph(data: Path) -> None:
    subgraph = tflrepair.load(data / "partial.tflite").subgraphs[0]
    assert len(subgraph.tensors) == subgraph.tensor_count
    assert subgraph.tensors[1] == subgraph.tensor(1)
    assert len(subgraph.operators) == subgraph.operator_count
