"""A file that is not in memory: the pages of it that have been looked at are kept.

The tables of a model are a small part of it, read a few bytes at a time, in no order. So they are
read in pages, each once, and numbers are taken from those. Values, which may be large, are read
when they are asked for, and not kept.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, cast

from tflrepair.sources.source import ByteSource, MemorySource, Part, Piece

# Struct character -> bytes. All of them are little-endian in the file.
SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}

_LARGEST = 1 << 16  # a piece larger than this is a value
_MOST_KEPT = 64 << 20  # bytes: the tables of 300,000 operators
_GAP = 4  # pages that are read along rather than asked for around


def numbers(data: memoryview, kind: str) -> memoryview[int]:
    """Bytes as an array of little-endian numbers; what is left over at the end is left out."""
    code: Any = "B" if kind == "?" else kind
    size = SIZES[kind]
    data = data[: len(data) // size * size]
    if sys.byteorder == "little" or size == 1:
        return cast("memoryview[int]", data.cast(code))
    swapped: Any = array(code, data.tobytes())
    swapped.byteswap()
    return memoryview(swapped)


class Pages:
    """A source whose small pieces are kept.

    Attributes:
        source: what it reads.
        size: bytes of it.
        grain: bytes of a page.
    """

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.size = source.size
        self.grain = source.grain
        self._kept: dict[int, memoryview] = {}
        self._numbers: dict[str, dict[int, memoryview[int]]] = {}

    def read(self, start: int, count: int) -> memoryview:
        """As ``ByteSource.read``."""
        if count > _LARGEST or start + count > self.size:
            return self.source.read(start, count)
        if not count:
            return memoryview(b"")
        first, last = start // self.grain, (start + count - 1) // self.grain
        at = start - first * self.grain
        if first == last:
            return self.page(first)[at : at + count]
        wanted = range(first, last + 1)
        kept = self._kept
        found = {n: kept[n] for n in wanted if n in kept}
        found |= self._load([n for n in wanted if n not in found])
        return memoryview(b"".join([found[n] for n in wanted]))[at : at + count]

    def read_many(self, pieces: Sequence[Piece]) -> list[memoryview]:
        """As ``ByteSource.read_many``."""
        return [self.read(*piece) for piece in pieces]

    def want(self, places: Iterable[int], count: int) -> None:
        """Read the pages with the ``count`` bytes at each place, before they are asked for.

        So they are asked for together. Places outside of the file are left out.
        """
        grain, end, last = self.grain, self.size, count - 1
        inside = [place for place in places if 0 <= place < end]
        wanted = {place // grain for place in inside}
        wanted |= {(place + last) // grain for place in inside if place + last < end}
        missing = sorted(wanted.difference(self._kept))
        self._load(missing[: _MOST_KEPT // grain // 2])

    def view(self, kind: str, size: int) -> Numbers:
        """The first ``size`` bytes as an array of numbers."""
        return Numbers(self, kind, size // SIZES[kind])

    def page(self, number: int) -> memoryview:
        """One page. Raises BadFileError."""
        found = self._kept.get(number)
        return self._load([number])[number] if found is None else found

    def page_of(self, kind: str, number: int) -> memoryview[int]:
        """One page as numbers."""
        found = self.kept_of(kind)[number] = numbers(self.page(number), kind)
        return found

    def kept_of(self, kind: str) -> dict[int, memoryview[int]]:
        """The pages that have been looked at as such numbers."""
        return self._numbers.setdefault(kind, {})

    def _load(self, missing: Sequence[int]) -> dict[int, memoryview]:
        """Read pages, in ascending order; neighbours together."""
        if not missing:
            return {}
        grain = self.grain
        ends = [n for n, (a, b) in enumerate(pairwise(missing), 1) if b - a > _GAP]
        runs = [
            (missing[first], missing[end - 1] + 1)
            for first, end in zip([0, *ends], [*ends, len(missing)], strict=True)
        ]
        pieces = [(a * grain, min(b * grain, self.size) - a * grain) for a, b in runs]
        found = {}
        for (first, end), data in zip(runs, self.source.read_many(pieces), strict=True):
            for number in range(first, end):
                at = (number - first) * grain
                found[number] = data[at : at + grain]
        if (len(self._kept) + len(found)) * grain > _MOST_KEPT:  # they can be read again
            self._kept.clear()
            for kept in self._numbers.values():
                kept.clear()
        self._kept.update(found)
        return found


def part_of(outer: ByteSource, start: int, size: int) -> ByteSource:
    """A file inside another one. In memory it is not copied; else its pages are its own."""
    if isinstance(outer, MemorySource):
        return MemorySource(outer.read(start, size))
    return Pages(Part(outer.source if isinstance(outer, Pages) else outer, start, size))


class Numbers:
    """An array of numbers over pages: ``[place]``, ``[first:end]``; ``[first:]`` copies nothing.

    It stands in for a memoryview, for what takes single numbers and short vectors out of it.
    """

    __slots__ = ("_bits", "_count", "_first", "_kept", "_kind", "_mask", "_pages")

    def __init__(self, pages: Pages, kind: str, count: int, first: int = 0) -> None:
        self._pages = pages
        self._kind = kind
        self._count = count
        self._first = first
        each = pages.grain // SIZES[kind]
        self._bits = each.bit_length() - 1
        self._mask = each - 1
        self._kept = pages.kept_of(kind)

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return self._slice(place)
        number = place + self._first
        page = self._kept.get(number >> self._bits)
        if page is None:
            page = self._pages.page_of(self._kind, number >> self._bits)
        return page[number & self._mask]

    def _slice(self, places: slice) -> Numbers | memoryview[int]:
        first = self._first + (places.start or 0)
        if places.stop is None:
            return Numbers(self._pages, self._kind, self._count, first)
        end = min(self._first + places.stop, self._count)
        size = SIZES[self._kind]
        data = self._pages.read(first * size, max(0, end - first) * size)
        return numbers(data, self._kind)
