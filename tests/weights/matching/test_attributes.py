"""Attributes before and behind ``layers``: what the list lacks stands alone, and is not missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import made
from running import Session

import tflrepair
from tflrepair.errors import UndecidedError

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def folder() -> Path:
    return made("attributes")


@pytest.mark.parametrize("name", ["dense", "convolutions", "blocks"])
def test_what_shapes_tell_apart_is_right(folder: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.tflite"
    result = tflrepair.fix(folder / f"{name}.tflite", folder / f"{name}.weights.h5", out=out)
    assert result.table is not None and not result.table.unproven
    data = np.load(folder / f"{name}.npz")
    found = Session(out).run("infer", x=data["x"])["y"]
    np.testing.assert_allclose(found, data["y"], rtol=1e-5, atol=1e-5)


def test_what_only_numbers_tell_apart_is_refused(folder: Path, tmp_path: Path) -> None:
    """The list's members have no names, so another order of making them would not show."""
    with pytest.raises(UndecidedError, match="the file has no 'layers/dense'"):
        tflrepair.fix(folder / "alike.tflite", folder / "alike.weights.h5", out=tmp_path / "o")
    assert not (tmp_path / "o").exists()
