"""A file that is not in memory is read as one that is, and what is cut short is our error."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from conftest import DATA

import tflrepair
from sources.sparse import scattered
from tflrepair.errors import BadFileError
from tflrepair.graph.model import from_source
from tflrepair.report.scan_json import item
from tflrepair.sources import opened
from tflrepair.sources.pages import SIZES, Pages, numbers
from tflrepair.sources.source import FileSource, MemorySource, Piece
from tflrepair.structure.verify import DamagedError, verify

MODELS = sorted(DATA.glob("*.tflite"))


class Small(MemorySource):
    """Memory as if it were far away, in small pages; ``pieces`` are those that were read."""

    grain = 64

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.pieces: list[Piece] = []

    def read(self, start: int, count: int) -> memoryview:
        self.pieces.append((start, count))
        return super().read(start, count)


def test_pieces_and_numbers_are_those_of_memory() -> None:
    draw = random.Random(1)
    data = draw.randbytes(1_003)
    pages = Pages(Small(data))
    for _ in range(500):
        start = draw.randrange(len(data))
        count = draw.randrange(len(data) - start)
        assert pages.read(start, count) == data[start : start + count]
    for kind, size in SIZES.items():
        if kind in "fd":
            continue  # random bytes are no numbers that equal themselves
        memory, far = numbers(memoryview(data), kind), pages.view(kind, len(data))
        for _ in range(100):
            first = draw.randrange(len(memory))
            end = draw.randrange(first, len(memory) + 9)
            assert far[first] == memory[first]
            assert far[first:end].tolist() == memory[first:end].tolist()
            assert far[first:][0] == memory[first:][0]
        assert size * len(memory) <= len(data)


def test_a_page_is_read_once_and_neighbours_together() -> None:
    source = Small(bytes(64 * 100))
    pages = Pages(source)
    pages.want([0, 70, 64 * 50, -1, 64 * 100, 10**12], 8)
    assert source.pieces == [(0, 128), (64 * 50, 64)]
    pages.read(3, 100)
    pages.read(64 * 50, 64)
    assert len(source.pieces) == 2


def test_little_is_kept_of_a_file_that_is_looked_at_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tflrepair.sources.pages._MOST_KEPT", 64 * 10)
    data = random.Random(2).randbytes(64 * 100)
    pages = Pages(Small(data))
    view = pages.view("B", len(data))
    assert [view[place] for place in range(0, len(data), 64)] == list(data[::64])
    assert len(pages._kept) <= 10 and len(pages.kept_of("B")) <= 10
    assert pages.read(0, len(data)) == data


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_scan_says_what_it_says_of_the_file_in_memory(path: Path) -> None:
    far = from_source(Pages(Small(path.read_bytes())), str(path))
    assert item(tflrepair.scan(far)) == item(tflrepair.scan(path))


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_found_as_in_memory(seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(draw.choice(MODELS).read_bytes())
    for _ in range(draw.randrange(1, 8)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    del data[draw.choice((len(data), draw.randrange(100, len(data)))) :]
    assert verify(Pages(Small(bytes(data)))).faults == verify(memoryview(bytes(data))).faults


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_all_that_can_be_shown_is_that_of_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = repr(tflrepair.show(path))
    monkeypatch.setattr(opened, "WHOLE_BELOW", 1)
    assert tflrepair.load(path).is_open
    assert repr(tflrepair.show(path)) == near


def test_a_large_file_cut_short_is_an_error_in_the_users_own_process(tmp_path: Path) -> None:
    """A memory map of it would end the process with SIGBUS."""
    path = tmp_path / "model.tflite"
    scattered(path, layers=20, floats=1 << 20)
    model = tflrepair.load(path)
    assert model.is_open and path.stat().st_size > opened.WHOLE_BELOW
    os.truncate(path, 4096)
    with pytest.raises(BadFileError, match="cut short") as caught:
        tflrepair.scan(model)
    assert caught.value.where is not None and str(path) in caught.value.where
    with pytest.raises(BadFileError, match="cut short"):
        model.buffer_bytes(model.buffer_count - 2)


def test_a_large_file_cut_short_after_its_scan(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    scattered(path, layers=20, floats=1 << 20)
    result = tflrepair.scan(path)
    os.truncate(path, 1 << 20)
    with pytest.raises(BadFileError, match="cut short"):
        result.model.buffer_bytes(result.model.buffer_count - 2)


def test_a_truncated_large_file_is_damaged_not_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    scattered(path, layers=20, floats=1 << 20)
    os.truncate(path, path.stat().st_size - 5)
    with pytest.raises(DamagedError, match="past the end"):
        tflrepair.scan(path)


def test_a_large_file_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    scattered(path, layers=20, floats=1 << 20)

    class Counting(FileSource):
        total = 0

        def read(self, start: int, count: int) -> memoryview:
            Counting.total += count
            return super().read(start, count)

    tflrepair.scan(from_source(Pages(Counting(path.open("rb")))))
    assert 0 < Counting.total < 30 * FileSource.grain
