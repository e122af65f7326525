"""A file seen as arrays of numbers of each size, without a copy."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import cast

from tflrepair.format.splice import LARGEST_FLATBUFFER
from tflrepair.sources.pages import SIZES, Pages, numbers
from tflrepair.sources.source import ByteSource, MemorySource

Pick = Callable[[memoryview], tuple[int, ...]]


def at(places: Sequence[int]) -> Pick:
    """Takes the numbers at ``places``, bytes that are multiples of four, out of an array at once.

    ``itemgetter`` does in one call what costs twice as much in a comprehension.
    """
    words = [place >> 2 for place in places]
    if len(words) == 1:  # for one, itemgetter gives the number itself
        return lambda view: (view[words[0]],)
    return itemgetter(*words) if words else lambda view: ()


class Words:
    """``words["I"][pos // 4]`` is the number at byte ``pos``, which must be aligned.

    Attributes:
        size: bytes of the flatbuffer, at most.
        total: bytes of the file.
    """

    def __init__(self, source: ByteSource) -> None:
        self.total = source.size
        self.size = min(source.size, LARGEST_FLATBUFFER)
        self._memory = source.data if isinstance(source, MemorySource) else None
        self._pages = source if isinstance(source, Pages) else Pages(source)
        self._views: dict[str, memoryview[int]] = {}

    def __getitem__(self, kind: str) -> memoryview[int]:
        view = self._views.get(kind)
        if view is None:
            view = self._views[kind] = self._view(kind)
        return view

    def _view(self, kind: str) -> memoryview[int]:
        if self._memory is not None:
            return numbers(self._memory[: self.size], kind)
        return cast("memoryview[int]", self._pages.view(kind, self.size))

    def read(self, start: int, count: int) -> memoryview:
        """``count`` bytes of the file from ``start`` on, which must be within it."""
        if self._memory is not None:
            return self._memory[start : start + count]
        return self._pages.read(start, count)

    def want(self, places: Iterable[int], count: int) -> None:
        """``count`` bytes at each place are asked for next. What is far away is fetched at once.

        Places may lie outside of the file.
        """
        if self._memory is None:
            self._pages.want(places, count)

    def picked(self, kind: str, pick: Pick, offset: int) -> Sequence[int]:
        """The four-byte numbers ``offset`` bytes, a multiple of four, behind the places picked."""
        return pick(self[kind][offset >> 2 :])

    def vector(self, pos: int, kind: str = "i") -> list[int]:
        """The elements of the vector at ``pos``, whose bounds have been checked."""
        count = self["I"][pos >> 2]
        size = SIZES[kind]
        first = pos + 4
        if first % size:  # eight-byte elements behind a four-byte count
            return list(struct.unpack(f"<{count}{kind}", self.read(first, count * size)))
        return self[kind][first // size : first // size + count].tolist()

    def count(self, pos: int) -> int:
        """How many elements the vector at ``pos`` has; 0 for no vector."""
        return int(self["I"][pos >> 2]) if pos > 0 else 0
