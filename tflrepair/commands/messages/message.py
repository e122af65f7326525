"""A known message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message: the pattern that knows it, where it comes from, what it means, what to do.

    Groups of the pattern can be told in ``means`` and ``do`` by their names.
    """

    pattern: str
    source: str
    means: str
    do: str
