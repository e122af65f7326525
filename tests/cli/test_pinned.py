"""Results that must not change by accident: the bytes of grafts and freezes, the graphs of
optimize and rebuild, and what each command says as JSON.

UPDATE_PINNED=1 python -m pytest tests/test_pinned.py writes them anew; read the difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import warm
from conftest import DATA, ROOT, TESTS

import tflrepair

pytestmark = pytest.mark.runs

SAMPLES = ROOT / "tflrepair" / "samples"
PINNED = TESTS / "pinned"
RATE = {"adam/learning_rate": "0.001"}

GRAFTS: dict[str, dict[str, Any]] = {
    "sample": {"weights": ["classifier.weights.h5"], "sets": RATE},
    "sample frozen": {"weights": ["classifier.weights.h5"], "sets": RATE, "freeze": True},
    "partial": {
        "model": "partial.tflite",
        "sets": {"sequential/dense/bias": "2", "sequential/dense/kernel": "0.5"},
    },
    "partial by npz": {"model": "partial.tflite", "weights": ["partial.npz"], "by_name": True},
    "healthy frozen": {"model": "healthy.tflite", "freeze": True},
    "half frozen": {"model": "half.tflite", "freeze": True},
    "table frozen": {"model": "table.tflite", "freeze": True},
    "flow frozen": {"model": "flow.tflite", "freeze": True},
    "partial alone": {"model": "partial.tflite"},
    "order": {
        "model": "order.tflite",
        "sets": {"sequential_1/dense_1/bias": "1", "sequential_1/dense_1/kernel": "3"},
    },
}
JSONS: dict[str, tuple[str, ...]] = {
    "scan": ("scan", "broken.tflite"),
    "scan-partial": ("scan", "partial.tflite"),
    "fix": ("fix", "broken.tflite", "--weights", "classifier.weights.h5",
            "--set", "adam/learning_rate=0.001"),
    "fix-problems": ("fix", "broken.tflite", "--weights", "classifier.weights.h5", "--dry-run"),
    "verify": ("verify", "healthy.tflite", "--runtime", "litert"),
    "error": ("scan", "nothing.tflite"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (*SAMPLES.glob("*.*"), *DATA.glob("*.*")):
        shutil.copy(path, tmp_path)
    return tmp_path


def hold(name: str, found: Any) -> None:
    path = PINNED / f"{name}.json"
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    if "UPDATE_PINNED" in os.environ:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def graph(path: Path) -> dict[str, Any]:
    """What a conversion must reproduce: operators, signatures, variables with their values."""
    result = tflrepair.scan(path)
    model = result.model
    initials = [(v.name, v.initial) for v in result.analysis.variables]
    return {
        "subgraphs": [
            {"name": s.name, "operators": dict(Counter(o.name for o in s.operators))}
            for s in model.subgraphs
        ],
        "signatures": [
            [s.key, s.subgraph, [n for n, _ in s.inputs], [n for n, _ in s.outputs]]
            for s in model.signatures
        ],
        "variables": {
            name: hashlib.sha256(model.buffer_bytes(initial.buffer)).hexdigest()
            for name, initial in initials
            if initial is not None
        },
    }


@pytest.mark.parametrize("name", GRAFTS)
def test_bytes(folder: Path, name: str) -> None:
    options = dict(GRAFTS[name])
    model = folder / options.pop("model", "broken.tflite")
    weights = [folder / each for each in options.pop("weights", [])]
    out = folder / "out.tflite"
    try:
        result = tflrepair.fix(model, weights, out=out, **options)
        found = hashlib.sha256(out.read_bytes()).hexdigest() if result.changes else "no changes"
    except tflrepair.TflRepairError as error:
        found = f"{type(error).__name__}: {error.message}"
    hold(f"bytes-{name.replace(' ', '-')}", found)


def test_optimized_graph(folder: Path) -> None:
    out = folder / "out.tflite"
    weights = [folder / "classifier.weights.h5"]
    tflrepair.fix(folder / "broken.tflite", weights, sets=RATE, strategy="optimize", out=out)
    hold("graph-optimize", graph(out))


@pytest.mark.tf
def test_rebuilt_graph(folder: Path) -> None:
    out = folder / "out.tflite"
    weights = [folder / "classifier.weights.h5"]
    tflrepair.fix(folder / "broken.tflite", weights, sets=RATE, strategy="rebuild", out=out)
    hold("graph-rebuild", graph(out))


@pytest.mark.parametrize("name", JSONS)
def test_json(folder: Path, name: str) -> None:
    done = warm.command_line(*JSONS[name], "--format", "json", cwd=folder)
    found = json.loads(re.sub(r"[Ll]ite[rR][tT]? \d[\d.]*", "litert N", done.stdout))
    hold(f"json-{name}", {"stdout": rounded(found), "stderr": done.stderr})


def rounded(value: Any) -> Any:
    """Differences of floats are the machine's own; only that they are there is pinned."""
    if isinstance(value, dict):
        return {k: "E" if k in ("max_abs", "max_rel") else rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value
