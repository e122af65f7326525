"""Weights behind the flatbuffer, beyond 2 GB, are read where they are: on a disk or a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tflrepair
from sources.server import serving
from sources.sparse import behind
from tflrepair.errors import BadFileError
from tflrepair.structure.verify import DamagedError

OFFSET = 5_000_000_000
VALUES = np.arange(1000, dtype=np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    behind(path, OFFSET, VALUES.tobytes())
    return path


@pytest.fixture(params=["disk", "server"])
def place(path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    with serving(path) as served:
        yield str(path) if request.param == "disk" else served.address
        assert served.sent < 300_000


def test_scan_and_values(place: str) -> None:
    result = tflrepair.scan(place)
    assert result.ok and result.model.size == OFFSET + VALUES.nbytes
    tensor = result.model.subgraph(0).tensor(1)
    assert result.model.buffer(tensor.buffer).outside
    assert np.array_equal(tensor.numpy(), VALUES)


def test_with_all_values_looked_at(place: str) -> None:
    assert tflrepair.scan(place, values=True).ok


def test_the_rest_of_the_file_is_missing(path: Path) -> None:
    os.truncate(path, OFFSET + 100)
    with pytest.raises(DamagedError, match="TFR117"):
        tflrepair.scan(path)


def test_cut_short_between_scan_and_value(path: Path) -> None:
    model = tflrepair.scan(path).model
    os.truncate(path, OFFSET + 100)
    with pytest.raises(BadFileError, match="cut short"):
        model.subgraph(0).tensor(1).numpy()
