"""What a person reads, word for word, with the exit code. The only tests that hold prose.

UPDATE_GOLDEN=1 python -m pytest tests/test_golden.py writes the files anew; read the difference.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import warm
from conftest import DATA, ROOT, TESTS

pytestmark = pytest.mark.runs

SAMPLES = ROOT / "tflrepair" / "samples"
FIX = ("fix", "broken.tflite", "--weights", "classifier.weights.h5")
RATE = ("--set", "adam/learning_rate=0.001")

CASES: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "scan-broken": ("scan", "broken.tflite"),
    "scan-order": ("scan", "order.tflite"),
    "scan-partial": ("scan", "partial.tflite"),
    "scan-healthy": ("scan", "healthy.tflite"),
    "scan-several": ("scan", "healthy.tflite", "nothing.tflite", "page.tflite"),
    "explain": ("explain", "TFR001"),
    "explain-unknown": ("explain", "TFR999"),
    "fix-no-rate": FIX,
    "fix-no-weights": ("fix", "broken.tflite", *RATE),
    "fix-dry-run": (*FIX, *RATE, "--dry-run"),
    "fix-healthy": ("fix", "healthy.tflite"),
    "fix": (*FIX, *RATE),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("broken.tflite", "classifier.weights.h5"):
        shutil.copy(SAMPLES / name, tmp_path)
    for name in ("order", "partial", "healthy"):
        shutil.copy(DATA / f"{name}.tflite", tmp_path)
    (tmp_path / "page.tflite").write_text("<!DOCTYPE html><title>404</title>")
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_golden(folder: Path, name: str) -> None:
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = warm.command_line(*CASES[name], cwd=folder, env=env)
    text = f"$ tflrepair {' '.join(CASES[name])}\n{done.stdout}"
    text += f"[stderr]\n{done.stderr}" if done.stderr else ""
    text += f"[exit code {done.returncode}]\n"
    # what differs between machines: the runtime's version and the last bits of floats
    text = re.sub(r"litert [\d.]+", "litert N", text)
    text = re.sub(r"(largest difference from [^:]+:) [\d.e+-]+", r"\1 E", text)
    text = re.sub(r"(NaN in|differ\w* (?:by|in)|from) [-\d.,e+]+[^\n]*", r"\1 ...", text)
    path = TESTS / "golden" / f"{name}.txt"
    if "UPDATE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
