"""What is wrong with a file: codes, and the list that collects findings."""

from __future__ import annotations

from collections.abc import Callable

from tflrepair.findings import Finding, Location, Severity

# Codes of what the walk itself finds; the rules have the codes of their files.
OFFSET, ALIGNMENT, VTABLE = "TFR101", "TFR102", "TFR103"
VECTOR, TERMINATOR, UTF8, EXCESS = "TFR104", "TFR105", "TFR106", "TFR107"

# A file of damage from end to end would fill the memory with its own description.
_MOST_KEPT = 1000


# Gives (byte, path), when somebody wants to see the fault.
Place = Callable[[], tuple[int, str]]


class TooMuchError(Exception):
    """The file has no end; what has been found so far stands."""


class Faults:
    """Collects faults. Places are looked up when somebody asks for the list, and only for it."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[tuple[str, Place, str]] = []

    def add(self, code: str, place: Place, message: str) -> None:
        self.count += 1
        if len(self._kept) < _MOST_KEPT:
            self._kept.append((code, place, message))

    def listed(self) -> tuple[Finding, ...]:
        """The first thousand, in the order of their place in the file."""
        rows = sorted((*place(), code, text) for code, place, text in self._kept)
        return tuple(
            Finding(code, Severity.ERROR, text, location=Location(offset=byte, path=path))
            for byte, path, code, text in rows
        )
