"""Numbers in messages: how many of something, and how many bytes."""

from __future__ import annotations


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 variable``, ``2 variables``; ``several`` is the plural of a noun that takes no s."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"


def verb(count: int, one: str, several: str) -> str:
    """What one thing does, or what several do: ``is``, ``are``."""
    return one if count == 1 else several


def megabytes(count: int) -> str:
    """Bytes for people: ``29.7 MB``, ``1.2 KB``, ``812 bytes``."""
    if count >= 10**18:  # only a damaged file asks for so much; it may be too large for a float
        return "more than 1000000 TB"
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return plural(count, "byte")
