"""Train, save and restore of repaired files, as an interpreter with the Flex delegate runs them.

Run by `make test-flex`, which makes an environment with tensorflow-cpu 2.18.1, the last wheel
that has Flex, and names its Python in TFLREPAIR_FLEX_PYTHON.
"""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import TESTS

import tflrepair

PYTHON = os.environ["TFLREPAIR_FLEX_PYTHON"]
HEAD = "classification_head/"


@pytest.fixture(scope="module", params=["graft", "optimize", "rebuild"])
def answers(
    request: pytest.FixtureRequest, reported: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    tflrepair.fix(
        reported / "model.tflite",
        [reported / "new_model.weights.h5"],
        sets={"adam/learning_rate": "1e-4"},
        strategy=request.param,
        out=folder / "fixed.tflite",
    )
    worker = str(TESTS / "flex" / "worker.py")
    done = subprocess.run(
        [PYTHON, worker, str(folder / "fixed.tflite"), str(reported / "io.npz"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_loss_falls(answers: Any) -> None:
    losses = answers["losses"]
    assert all(b < a for a, b in pairwise(losses)), losses


def test_trained_values_survive_the_first_call_of_another_signature(answers: Any) -> None:
    assert answers["trained_change"] > 1e-3
    assert answers["signatures_differ"] == 0


def test_saved_under_unique_names(answers: Any) -> None:
    assert len(answers["names"]) == 6
    assert all(name.startswith(HEAD) for name in answers["names"])


def test_save_and_restore_in_a_fresh_interpreter(answers: Any) -> None:
    """The module saves what it trains. The moving statistics, which `train` moves, too, are not
    trainable, so they alone keep `infer` a little apart."""
    assert answers["checkpoints_equal"]
    assert answers["restored_change"] > 1e-3
    assert answers["restored_differ"] < 0.05 * answers["restored_change"]
