"""The files in tests/data and in the package are what the real converter makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, ROOT, made

import tflrepair
from tflrepair.commands.scan import ScanResult

pytestmark = pytest.mark.tf


def outline(result: ScanResult) -> object:
    return (
        [(s.key, s.inputs, s.outputs) for s in result.model.signatures],
        [[o.name for o in s.operators] for s in result.model.subgraphs],
        [(v.name, v.dtype, v.shape, v.status) for v in result.analysis.variables],
        [f.code for f in result.findings],
    )


@pytest.mark.parametrize("name", [path.name for path in sorted(DATA.glob("*.tflite"))])
def test_data_is_current(name: str) -> None:
    fresh = tflrepair.scan(made("plain") / name)
    assert outline(fresh) == outline(tflrepair.scan(DATA / name))


def test_the_sample_is_current(small: Path) -> None:
    sample = ROOT / "tflrepair" / "samples"
    fresh = tflrepair.scan(small / "model.tflite")
    assert outline(fresh) == outline(tflrepair.scan(sample / "broken.tflite"))
    io = np.load(small / "io.npz")
    x = np.load(sample / "input.npz")["x"]
    (row,) = np.flatnonzero((io["x"] == x).all(axis=1))
    told = np.load(sample / "expected.npz")["output"][0]
    np.testing.assert_allclose(told, io["output"][row], rtol=1e-5)  # processors round differently
