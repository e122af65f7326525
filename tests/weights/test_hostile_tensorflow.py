"""Damaged and malicious checkpoints and SavedModels: TensorFlow reads them in a child process."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from conftest import made

from tflrepair import weights
from tflrepair.errors import TflRepairError
from tflrepair.weights.native import client

pytestmark = pytest.mark.tf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(made("small") / "saved_model", tmp_path / "saved_model")
    return tmp_path / "saved_model"


def read(path: Path) -> None:
    for weight in weights.open_weights(path).weights:
        weight.read()


def test_a_reader_that_dies_is_our_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little memory for it stands for whatever ends the child."""
    monkeypatch.setattr(client, "_TENSORFLOW_MEMORY", 40 << 20)
    with pytest.raises(TflRepairError, match="saved_model"):
        read(folder)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_damage_is_our_error_or_a_reading(folder: Path, name: str) -> None:
    place, rng = folder / name, random.Random(7)
    sound = place.read_bytes()
    for number in range(8):
        data = bytearray(sound)
        if number % 3:
            for _ in range(4):
                data[rng.randrange(len(data))] = rng.randrange(256)
        else:
            del data[rng.randrange(len(data)) :]
        place.write_bytes(data)
        try:
            read(folder)
        except TflRepairError as error:
            assert str(folder) in str(error)


def test_values_that_were_cut_off(folder: Path) -> None:
    place = next((folder / "variables").glob("*.data-*"))
    os.truncate(place, place.stat().st_size // 2)
    with pytest.raises(TflRepairError, match=r"no object graph|declares|cannot be read"):
        read(folder)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_fifo_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(TflRepairError):
        read(folder)
