"""What a check looks at and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.analysis.variables import Analysis
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model

ERROR = "error"
WARNING = "warning"
INFO = "info"


@dataclass(frozen=True)
class Subject:
    """A model and what the analysis found in it."""

    model: Model
    analysis: Analysis


@dataclass(frozen=True)
class Finding:
    """One thing a check found.

    Attributes:
        message: what is wrong and why it matters.
        hint: what to do next; empty where another finding says it.
        site: the operator in question, if it is one operator.
    """

    code: str
    severity: str
    message: str
    hint: str = ""
    signature: str | None = None
    site: OperatorRef | None = None
    variable: str | None = None


def names(values: list[str], most: int = 3) -> str:
    """``a, b, c and 7 more``."""
    shown = ", ".join(repr(value) for value in values[:most])
    more = len(values) - most
    return f"{shown} and {more} more" if more > 0 else shown


def megabytes(count: int) -> str:
    """Bytes for people: ``29.7 MB``, ``1.2 KB``, ``812 bytes``."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
