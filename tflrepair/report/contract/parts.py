"""What results of several commands hold, and errors."""

from __future__ import annotations

from typing import Literal, TypedDict

from tflrepair.errors import ErrorCode
from tflrepair.findings import Severity

# JSON has no NaN: these stand for it, and for what is larger than any number
Real = float | Literal["NaN", "Infinity", "-Infinity"] | None


class SiteItem(TypedDict):
    """An operator by the indices of the schema."""

    subgraph: int
    operator: int


class PortItem(TypedDict):
    """An input or output of a signature; -1 in the shape is an open dimension."""

    name: str
    dtype: str
    shape: list[int]


class FindingItem(TypedDict):
    """What is wrong, and what to do. ``variables``: all that it is about, not only the first."""

    code: str
    severity: Severity
    message: str
    hint: str
    signature: str | None
    subgraph: int | None
    operator: int | None
    shared_name: str | None
    variables: list[str]


class FaultItem(TypedDict):
    """A place of a damaged file. ``path`` is the way through the tables."""

    code: str
    byte: int | None
    path: str
    message: str


class CountItem(TypedDict):
    """How many of ``listed`` tables could be read."""

    read: int
    listed: int


class RemainsItem(TypedDict):
    """What could be read of a damaged file (``scan --salvage``)."""

    tables: dict[str, CountItem]
    signatures: list[str]
    operators: dict[str, int]
    constant_bytes: int
    lost_bytes: int


class ErrorItem(TypedDict):
    """What could not be done.

    ``code`` never changes its meaning. ``options``: what to add to the command to decide what is
    open. ``faults``: of a damaged file, the first thousand of ``fault_count``.
    """

    code: ErrorCode
    path: str | None
    message: str
    where: str | None
    hint: str | None
    options: list[str]
    fault_count: int
    faults: list[FaultItem]
    remains: RemainsItem | None
