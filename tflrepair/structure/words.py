"""A file seen as arrays of numbers of each size, without a copy."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, cast

from tflrepair.format.splice import LARGEST_FLATBUFFER

# Struct character -> bytes. All of them are little-endian in the file.
SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}


Pick = Callable[[memoryview], tuple[int, ...]]


def at(places: Sequence[int]) -> Pick:
    """Takes the numbers at ``places``, bytes that are multiples of four, out of an array at once.

    ``itemgetter`` does in one call what costs twice as much in a comprehension.
    """
    numbers = [place >> 2 for place in places]
    if len(numbers) == 1:  # for one, itemgetter gives the number itself
        return lambda view: (view[numbers[0]],)
    return itemgetter(*numbers) if numbers else lambda view: ()


class Words:
    """``words["I"][pos // 4]`` is the number at byte ``pos``, which must be aligned."""

    def __init__(self, buf: memoryview) -> None:
        self.buf = buf
        self.size = min(len(buf), LARGEST_FLATBUFFER)
        self._views: dict[str, memoryview[int]] = {}

    def __getitem__(self, kind: str) -> memoryview[int]:
        view = self._views.get(kind)
        if view is None:
            view = self._views[kind] = self._view(kind)
        return view

    def _view(self, kind: str) -> memoryview[int]:
        code: Any = "B" if kind == "?" else kind
        size = SIZES[kind]
        whole = self.buf[: self.size // size * size]
        if sys.byteorder == "little" or size == 1:
            return cast("memoryview[int]", whole.cast(code))
        swapped: Any = array(code, whole.tobytes())
        swapped.byteswap()
        return memoryview(swapped)

    def picked(self, kind: str, pick: Pick, offset: int) -> Sequence[int]:
        """The four-byte numbers ``offset`` bytes, a multiple of four, behind the places picked."""
        return pick(self[kind][offset >> 2 :])

    def vector(self, pos: int, kind: str = "i") -> list[int]:
        """The elements of the vector at ``pos``, whose bounds have been checked."""
        count = self["I"][pos >> 2]
        size = SIZES[kind]
        first = pos + 4
        if first % size:  # eight-byte elements behind a four-byte count
            return list(struct.unpack_from(f"<{count}{kind}", self.buf, first))
        return self[kind][first // size : first // size + count].tolist()

    def count(self, pos: int) -> int:
        """How many elements the vector at ``pos`` has; 0 for no vector."""
        return int(self["I"][pos >> 2]) if pos > 0 else 0
