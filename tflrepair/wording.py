"""Words in messages: how many of something, how many bytes, what kind of value."""

from __future__ import annotations

from collections.abc import Sequence


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 variable``, ``3,435 variables``; ``several`` is the plural of a noun that takes no s.

    Both may go on with a verb: ``plural(n, "variable is", "variables are")``.
    """
    return f"{grouped(count)} {noun if count == 1 else several or noun + 's'}"


def grouped(count: int) -> str:
    """``12,345``"""
    return f"{count:,}"


def verb(count: int, one: str, several: str) -> str:
    """What one thing does, or what several do: ``is``, ``are``."""
    return one if count == 1 else several


def share(part: int, whole: int, noun: str, one: str, several: str) -> str:
    """``1 of 22 variables has``, ``2 of 22 variables have``: the verb goes with ``part``."""
    return f"{grouped(part)} of {plural(whole, noun)} {verb(part, one, several)}"


def megabytes(count: int) -> str:
    """Bytes for people, in powers of ten: ``29.7 MB``, ``1.2 KB``, ``812 bytes``."""
    if count >= 10**18:  # only a damaged file asks for so much; it may be too large for a float
        return "more than 1,000,000 TB"
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size - size // 20_000:  # what would be rounded to 1000.0 of the smaller unit
            return f"{count / size:,.1f} {unit}"
    return plural(count, "byte")


def kind_of(value: object) -> str:
    """What a value of Python is, with its article: ``a list``, ``an int``; ``None``."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def dimensions(sizes: Sequence[int]) -> str:
    """``[1, 224, 224, 3]``, ``?`` for an open dimension."""
    return "[" + ", ".join("?" if size < 0 else str(size) for size in sizes) + "]"
