"""extract: weights that come back the same, and parts that answer as inside the whole."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm
from build import Build
from conftest import DATA, ROOT
from contract import hold

import tflrepair
from tflrepair.analysis.variables import analyse
from tflrepair.commands.extract import extract_part, extract_weights
from tflrepair.errors import RefusedError, UserError
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.report import extract_text

pytestmark = pytest.mark.runs

FORMATS = ("npz", "safetensors", "h5")


def initial_bytes(model: Model) -> dict[str, bytes]:
    return {
        v.name: bytes(model.buffer_bytes(v.initial.buffer))
        for v in analyse(model).variables
        if v.initial is not None
    }


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two repairs of the sample: the right weights, and every variable at 0.25."""
    folder = tmp_path_factory.mktemp("pair")
    samples = ROOT / "tflrepair" / "samples"
    names = [v.name for v in analyse(load(samples / "broken.tflite")).variables]
    tflrepair.fix(
        samples / "broken.tflite",
        [samples / "classifier.weights.h5"],
        sets={"adam/learning_rate": "0.001"},
        out=folder / "right.tflite",
    )
    tflrepair.fix(
        samples / "broken.tflite",
        sets={n: "7" if n.endswith("iteration") else "0.25" for n in names},
        out=folder / "flat.tflite",
    )
    return folder / "right.tflite", folder / "flat.tflite"


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("constants", [False, True])
def test_fed_back_the_bytes_are_the_same(
    pair: tuple[Path, Path], tmp_path: Path, suffix: str, constants: bool
) -> None:
    right, flat = pair
    out = tmp_path / f"w.{suffix}"
    result = extract_weights(right, out, constants=constants)
    assert result.complete
    assert sum(row.is_variable for row in result.written) == len(analyse(load(right)).variables)
    assert any(not row.is_variable for row in result.written) == constants
    tflrepair.fix(flat, [out], replace_values=True, by_name=True, out=tmp_path / "again.tflite")
    wanted = initial_bytes(load(right))
    assert initial_bytes(load(flat)) != wanted
    assert initial_bytes(load(tmp_path / "again.tflite")) == wanted


def test_float16_initial_values_are_widened_without_loss(tmp_path: Path) -> None:
    extract_weights(DATA / "f16.tflite", tmp_path / "w.npz")
    model = load(DATA / "f16.tflite")
    arrays = np.load(tmp_path / "w.npz")
    checked = 0
    for variable in analyse(model).variables:
        if variable.initial is not None and variable.initial.via == "dequantize":
            half = np.frombuffer(model.buffer_bytes(variable.initial.buffer), np.float16)
            found = arrays[variable.name]
            assert found.dtype == np.float32
            assert np.array_equal(found.ravel(), half.astype(np.float32))
            checked += 1
    assert checked


def test_variables_without_a_value_are_told(tmp_path: Path) -> None:
    result = extract_weights(DATA / "partial.tflite", tmp_path / "w.npz")
    assert result.complete == (not [r for r in result.left_out if r.is_variable])
    with pytest.raises(RefusedError, match="nothing can be written"):
        extract_weights(ROOT / "tflrepair/samples/broken.tflite", tmp_path / "none.npz")
    assert not (tmp_path / "none.npz").exists()


def named(names: list[str]) -> Model:
    """A model with a constant of each name."""
    build = Build()
    sub = build.sub("main")
    x = sub.input(shape=(1,))
    for number, name in enumerate(names):
        value = sub.tensor(shape=(1,), data=np.array([number], np.float32).tobytes())
        sub.table.tensors[value].name = name
        out = sub.tensor(shape=(1,))
        sub.op("ADD", [x, value], [out])
        x = out
    sub.output(x)
    return from_bytes(build.bytes())


@pytest.mark.parametrize("suffix", FORMATS)
def test_names_of_all_kinds(tmp_path: Path, suffix: str) -> None:
    """``file`` is an argument of numpy.savez; equal names must not lose an array."""
    names = ["file", "a/b", "same", "same", "", "ünï", "x y"]
    result = extract_weights(named(names), tmp_path / f"w.{suffix}", constants=True)
    from tflrepair.weights.readers.open import open_weights

    found = {w.path: float(w.read()[0]) for w in open_weights(tmp_path / f"w.{suffix}").weights}
    wanted = ["file", "a/b", "same", "same#2", "subgraph0/tensor9", "ünï", "x y"]
    assert [row.name for row in result.written] == wanted
    assert found == {name: float(number) for number, name in enumerate(wanted)}


@pytest.mark.parametrize("name", ["a/../b", "/a", "a//b"])
def test_names_that_do_not_fit_hdf5(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="does not fit"):
        extract_weights(named([name]), tmp_path / "w.h5", constants=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"outputs": ["no such"]}, "no tensor of the chosen signatures is called"),
        ({"signature": "no such"}, "the model has no signature"),
        ({"outputs": ["#0"], "signature": "infer"}, "is not computed"),
        ({}, "no part of the model is named"),
    ],
)
def test_refused(tmp_path: Path, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        extract_part(DATA / "healthy.tflite", tmp_path / "part.tflite", **asked)
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path: Path) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line("extract", str(DATA / "healthy.tflite"), *arguments, cwd=tmp_path)

    done = cli("-o", "w.npz", "--format", "json")
    assert done.returncode == 0, done.stderr
    hold(json.loads(done.stdout))
    done = cli("-o", "part.tflite", "--signature", "infer", "--format", "json")
    assert done.returncode == 0, done.stderr
    hold(json.loads(done.stdout))
    assert cli("-o", "w.npz").returncode == 2  # it exists
    assert "end it in" in cli("-o", "w.pkl").stderr
    assert "give --signature NAME" in cli("-o", "all.tflite").stderr


def test_the_report_is_short(pair: tuple[Path, Path], tmp_path: Path) -> None:
    lines = list(extract_text.weights_lines(extract_weights(pair[0], tmp_path / "w.npz")))
    assert len(lines) == 2
