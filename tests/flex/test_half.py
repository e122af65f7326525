"""Variables of 16 bits live in the Flex delegate, and get their values there, too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import TESTS

import tflrepair

PYTHON = os.environ["TFLREPAIR_FLEX_PYTHON"]


def there(*arguments: object) -> str:
    script = str(TESTS / "flex" / "half.py")
    done = subprocess.run(
        [PYTHON, script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module", params=["float16", "bfloat16"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp(request.param)
    there("make", request.param, path)
    return path


def answers(folder: Path, weights: str, **options: Any) -> dict[str, float]:
    out = folder / "fixed.tflite"
    tflrepair.fix(folder / "model.tflite", [folder / weights], out=out, force=True, **options)
    result: dict[str, float] = json.loads(there("run", out, folder / "io.npz").splitlines()[-1])
    return result


def test_broken_it_does_not_run(folder: Path) -> None:
    with pytest.raises(AssertionError, match="Could not find variable"):
        there("run", folder / "model.tflite", folder / "io.npz")


@pytest.mark.parametrize("weights", ["w.weights.h5", "saved"])
def test_it_answers_and_trains_as_eager_tensorflow(folder: Path, weights: str) -> None:
    options = {"learning_rate": 0.0625} if weights != "saved" else {}
    found = answers(folder, weights, **options)
    assert found["moved"] > 0.05
    epsilon = 2**-7 if "bfloat16" in folder.name else 2**-10
    assert max(found[name] for name in ("before", "losses", "after")) <= 4 * epsilon, found
