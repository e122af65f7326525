"""Variables that no file of weights holds: state starts at zero, LoRA as Keras loads it.

The truth is eager TensorFlow: a row of calls, each of which sees what those before it left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflrepair
from tflrepair.errors import UndecidedError
from weights.starts.replay import advised, furthest, repaired, shell

pytestmark = [pytest.mark.tf, pytest.mark.runs, pytest.mark.slow]
CLOSE = 1e-5


def answers_right(folder: Path, weights: str, out: Path, **options: Any) -> list[str]:
    """The texts of what is assumed, of a repair that answers as eager TensorFlow."""
    result = repaired(folder, weights, out, **options)
    assert furthest(folder, out) < CLOSE
    assert result.table is not None
    return [assumption.text for assumption in result.table.assumptions]


@pytest.mark.parametrize("name", ["recurrent", "counted"])
def test_state_of_keras_starts_as_keras_starts_it(states: Path, tmp_path: Path, name: str) -> None:
    assert not answers_right(states / name, "w.weights.h5", tmp_path / "out.tflite")


def test_the_state_of_a_cell_of_ones_own_is_assumed(states: Path, tmp_path: Path) -> None:
    texts = answers_right(states / "own_cell", "w.weights.h5", tmp_path / "out.tflite")
    assert len(texts) == 1
    assert "the RNN 'rnn'" in texts[0]


@pytest.mark.parametrize("how", ["slice", "mask", "where", "shift"])
def test_caches_and_counters_are_assumed(states: Path, tmp_path: Path, how: str) -> None:
    texts = answers_right(states / how, "w.weights.h5", tmp_path / "out.tflite")
    assert [text.split("'")[1] for text in texts] == ["cache", "place", "seen"]


@pytest.mark.parametrize("name", ["recurrent", "slice", "decay", "counted", "adapted"])
def test_a_saved_model_knows_all_state(states: Path, tmp_path: Path, name: str) -> None:
    assert not answers_right(states / name, "saved_model", tmp_path / "out.tflite")


def test_state_that_shows_no_start_is_asked_for(states: Path, tmp_path: Path) -> None:
    folder, out = states / "decay", tmp_path / "out.tflite"
    done = shell(f"tflrepair fix {folder}/model.tflite --weights {folder}/w.weights.h5 -o {out}")
    assert done.returncode == 2
    assert "the model itself updates it" in done.stderr
    command = advised(done.stderr)
    assert command.endswith("--set cache=0")
    assert shell(command).returncode == 0
    assert furthest(folder, out) < CLOSE


def test_a_start_that_is_given_comes_before_what_is_assumed(states: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    result = repaired(states / "slice", "w.weights.h5", out, sets={"seen": "3", "place": "2"})
    assert result.table is not None
    assert len(result.table.assumptions) == 1
    assert furthest(states / "slice", out) > 1


def test_nothing_is_assumed_while_the_file_has_an_array_that_fits(
    states: Path, tmp_path: Path
) -> None:
    extra = tmp_path / "extra.npz"
    np.savez(extra, memory=np.ones((1, 6, 4), "float32"))
    folder = states / "slice"
    files = [folder / "w.weights.h5", extra]
    with pytest.raises(UndecidedError, match="'cache'"):
        tflrepair.fix(folder / "model.tflite", files, out=tmp_path / "out.tflite")


@pytest.mark.parametrize("file", ["w.weights.h5", "model.keras"])
def test_lora_is_merged_in_the_file(states: Path, tmp_path: Path, file: str) -> None:
    texts = answers_right(states / "adapted", file, tmp_path / "out.tflite")
    assert len(texts) == 1
    assert "merged" in texts[0]


def test_lora_by_itself_in_a_file_of_the_older_format(states: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    assert not answers_right(states / "adapted", "model.h5", out)
    result = repaired(states / "adapted", "model.h5", out, force=True)
    assert result.table is not None
    assert {row.origin for row in result.table.rows} == {"weight"}


@pytest.mark.parametrize("file", ["w.weights.h5", "model.keras", "model.h5", "saved_model"])
def test_names_that_differ_by_case_only(states: Path, tmp_path: Path, file: str) -> None:
    assert not answers_right(states / "cased", file, tmp_path / "out.tflite")


@pytest.mark.parametrize("file", ["w.weights.h5", "saved_model"])
def test_attributes_that_differ_by_case_only(states: Path, tmp_path: Path, file: str) -> None:
    assert not answers_right(states / "attention", file, tmp_path / "out.tflite")
