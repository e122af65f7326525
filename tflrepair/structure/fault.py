"""One thing that is wrong with a file, and the list that collects them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Codes of what the walk itself finds; the rules have the codes of their files.
OFFSET, ALIGNMENT, VTABLE = "TFR101", "TFR102", "TFR103"
VECTOR, TERMINATOR, UTF8, EXCESS = "TFR104", "TFR105", "TFR106", "TFR107"

# A file of damage from end to end would fill the memory with its own description.
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        code: ``TFR101`` and on; ``tflrepair explain`` tells more.
        byte: where in the file.
        path: which field, such as ``subgraphs[0].operators[17].inputs``.
        message: what is wrong there, one sentence without a full stop.
    """

    code: str
    byte: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.path or 'the file'} (byte {self.byte}): {self.message}"


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

    def listed(self) -> tuple[Fault, ...]:
        """The first thousand, in the order of their place in the file."""
        rows = [Fault(code, *place(), text) for code, place, text in self._kept]
        return tuple(sorted(rows, key=lambda fault: (fault.byte, fault.code)))
