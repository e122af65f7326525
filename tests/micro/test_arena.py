"""The arena that TFLM's own interpreter asks for, and models that it does not take.

Run by `make test-micro`, which makes an environment with tflite-micro and sets TFLREPAIR_MICRO.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA
from typer.testing import CliRunner

from tflrepair.cli import app
from tflrepair.graph.model import from_bytes, load
from tflrepair.targets.arena import installed, measure

pytestmark = pytest.mark.runs


def pooled(kind: str, size: int) -> bytes:
    """One MAX_POOL_2D over a square image."""
    build = Build()
    sub = build.sub("main")
    x = sub.input(kind, (1, size, size, 4))
    out = sub.tensor(kind, (1, size // 2, size // 2, 4))
    for index in (x, out):
        quantization = fb.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [0.5], [0]
        sub.table.tensors[index].quantization = quantization
    options = fb.Pool2DOptionsT()
    options.strideW = options.strideH = options.filterWidth = options.filterHeight = 2
    sub.op("MAX_POOL_2D", [x], [out], options)
    sub.output(out)
    return build.bytes()


def told(path: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["scan", str(path), "--target", "tflm", *more])
    return done.exit_code, done.stdout


def test_variables_and_their_initializer() -> None:
    arena = measure(load(DATA / "partial.tflite"))
    assert arena.error == ""
    assert arena.total == (arena.head or 0) + (arena.tail or 0)
    assert arena.total > 1000


def test_it_grows_with_the_activations() -> None:
    """Also where they are a hundred times the file."""
    assert installed()
    small, large = (measure(from_bytes(pooled("INT8", n))).total or 0 for n in (16, 512))
    assert large - small == pytest.approx(1.25 * 4 * (512**2 - 16**2), rel=0.01)


def test_a_type_that_no_kernel_takes(tmp_path: Path) -> None:
    """The resolver has the operator, so that the tables alone find nothing missing."""
    path = tmp_path / "m.tflite"
    path.write_bytes(pooled("UINT8", 16))
    code, text = told(path)
    assert code == 1
    assert "Target tflm  does not run" in text
    assert "Node MAX_POOL_2D (number 0) failed to prepare" in " ".join(text.split())
    assert "UINT8 (3) not supported" in " ".join(text.split())
    code, text = told(path, "--format", "json")
    row: Any = json.loads(text)["results"][0]["targets"][0]
    assert (code, row["ok"], row["arena"], row["lacking"]) == (1, False, None, [])
    assert "UINT8 (3) not supported" in row["notes"][-1]


def test_one_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(pooled("INT8", 16))
    code, text = told(path)
    assert code == 0
    assert "bytes, measured on this machine" in text
