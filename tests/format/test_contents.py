"""Buffers compared and hashed a piece at a time: no more of a file is in memory."""

from __future__ import annotations

import hashlib
import random

import pytest
from build import Build

from tflrepair.graph import contents
from tflrepair.graph import model as graph_model
from tflrepair.graph.model import Model, from_bytes
from tflrepair.sources.source import MemorySource

BYTES = random.Random(1).randbytes(1003)  # no multiple of 8


def model(*values: bytes) -> Model:
    """Buffer n + 1 holds the value n."""
    build = Build()
    sub = build.sub("main", "run")
    for value in values:
        sub.output(sub.tensor("UINT8", (len(value),), value))
    return from_bytes(build.bytes())


@pytest.fixture(autouse=True)
def largest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pieces of 64 bytes; gives the sizes of all reads."""
    monkeypatch.setattr(graph_model, "_PIECE", 64)
    sizes: list[int] = []
    read = MemorySource.read

    def noted(self: MemorySource, start: int, count: int) -> memoryview:
        sizes.append(count)
        return read(self, start, count)

    monkeypatch.setattr(MemorySource, "read", noted)
    return sizes


@pytest.mark.parametrize("place", [0, 63, 64, 999, 1000, 1002])
def test_one_byte_tells_buffers_apart(place: int) -> None:
    changed = bytearray(BYTES)
    changed[place] ^= 1
    a, b = model(BYTES, BYTES), model(b"x", BYTES, bytes(changed))
    assert contents.same_bytes(a, 1, b, 2)
    assert contents.same_bytes(a, 1, a, 2)
    assert not contents.same_bytes(a, 1, b, 3)
    assert not contents.same_bytes(a, 1, b, 1)
    assert contents.digest(b, 3) != contents.digest(b, 2)


def test_what_is_read_at_once_is_a_piece(largest: list[int]) -> None:
    a = model(BYTES)
    largest.clear()
    assert contents.digest(a, 1) == hashlib.sha256(BYTES).digest()
    assert contents.same_bytes(a, 1, a, 1)
    assert max(largest) == 64
    assert sum(largest) == 3 * len(BYTES)


@pytest.mark.parametrize("value", [b"", b"ab", BYTES])
def test_ends(value: bytes) -> None:
    assert contents.ends(model(value), 1, 4) == (value[:4], value[-4:])
