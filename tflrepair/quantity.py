"""Numbers with what they count, and sizes, written the same way in every message and report."""

from __future__ import annotations

_UNITS = (("GB", 10**9), ("MB", 10**6), ("KB", 10**3))


def grouped(number: int) -> str:
    """``12,345``"""
    return f"{number:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 operator``, ``3,362 operators``; ``many`` where it is not ``one`` with an ``s``.

    Both may go on with a verb: ``counted(n, "variable is", "variables are")``.
    """
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def megabytes(count: int) -> str:
    """Bytes for people, in powers of ten: ``29.7 MB``, ``1.2 KB``, ``812 bytes``."""
    if count >= 10**18:  # only a damaged file asks for so much; it may be too large for a float
        return "more than 1,000,000 TB"
    for unit, size in _UNITS:
        if count >= size - size // 20_000:  # what would be rounded to 1000.0 of the smaller unit
            return f"{count / size:,.1f} {unit}"
    return counted(count, "byte")


def share(part: int, whole: int, noun: str, one: str, many: str) -> str:
    """``1 of 22 variables has``, ``2 of 22 variables have``: the verb goes with ``part``."""
    return f"{grouped(part)} of {counted(whole, noun)} {one if part == 1 else many}"
