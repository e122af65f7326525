"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

# (step in words, done, total); total 0 where it is not known
Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """For who does not want to know."""
