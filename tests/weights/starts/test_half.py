"""Variables of 16 bits: grafted into the Flex delegate, run here through TensorFlow.

tests/flex runs them under the delegate itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tflrepair
from tflrepair.errors import UndecidedError
from weights.starts.replay import repaired

pytestmark = [pytest.mark.tf, pytest.mark.runs, pytest.mark.slow]


@pytest.fixture(params=["float16", "bfloat16"])
def folder(request: pytest.FixtureRequest, states: Path) -> Path:
    return states / str(request.param)


@pytest.mark.parametrize("weights", ["w.weights.h5", "saved_model"])
def test_it_answers_as_eager_tensorflow(folder: Path, tmp_path: Path, weights: str) -> None:
    out, kept = tmp_path / "out.tflite", np.load(folder / "calls.npz")
    result = repaired(folder, weights, out)
    assert result.after is not None
    variables = result.after.analysis.variables
    assert {(v.key.kind, v.status, v.dtype) for v in variables} == {
        ("flex", "initialized", folder.name)
    }
    inputs, expected = tmp_path / "in.npz", tmp_path / "expected.npz"
    np.savez(inputs, x=kept["0:infer:in:x"])
    np.savez(expected, y=kept["0:infer:out:y"])
    run = tflrepair.verify(out, inputs=inputs, expect=expected, runtimes=["tensorflow"])
    assert run.ok, run.runs


def test_repaired_twice_is_repaired_once(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    repaired(folder, "w.weights.h5", out)
    again = tflrepair.fix(out, [folder / "w.weights.h5"], out=tmp_path / "again.tflite")
    assert not again.changes
    assert again.out is None


def test_no_byte_of_the_old_file_changes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    repaired(folder, "w.weights.h5", out)
    assert out.read_bytes().endswith((folder / "model.tflite").read_bytes())


def test_wider_values_are_rounded_only_where_that_is_allowed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    with pytest.raises(UndecidedError, match="would be rounded") as caught:
        repaired(folder, "wide.npz", out)
    assert "--allow-rounding" in str(caught.value)
    result = repaired(folder, "wide.npz", out, allow_rounding=True)
    assert result.table is not None
    assert all(row.value().dtype.name == folder.name for row in result.table.rows)
