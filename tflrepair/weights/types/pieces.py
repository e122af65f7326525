"""Arrays in pieces, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

PIECE = 8 << 20  # bytes; large enough that calls do not count, small enough for any machine


def selections(shape: Sequence[int], itemsize: int, piece: int) -> Iterator[tuple[Any, ...]]:
    """Indices of an array that together select each element once, in row-major order, some
    ``piece`` bytes at a time (more only where one element has more)."""
    if not prod(shape):
        return
    axis = 0
    while axis < len(shape) and prod(shape[axis + 1 :]) * itemsize > piece:
        axis += 1
    if axis >= len(shape):  # scalars, and nothing to be split
        yield ()
        return
    step = max(1, piece // max(1, prod(shape[axis + 1 :]) * itemsize))
    for outer in _indices(shape[:axis]):
        for start in range(0, shape[axis], step):
            yield (*outer, slice(start, min(start + step, shape[axis])))


def _indices(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if not shape:
        yield ()
        return
    for first in range(shape[0]):
        for rest in _indices(shape[1:]):
            yield (first, *rest)
