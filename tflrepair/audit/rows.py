"""What an audit says of each model, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict


class Row(TypedDict):
    """One model, or one input that could not be read.

    Attributes:
        path: of the model; one inside an archive is ``app.aar!/assets/model.tflite``.
        ok: whether it was read and nothing is wrong with it.
        result: what ``tflrepair scan --format json`` says of it (docs/schemas/scan-2.json), or
            None if it could not be read.
        error: why it could not be read, or None.
    """

    path: str
    ok: bool
    result: dict[str, Any] | None
    error: dict[str, Any] | None


class Summary(TypedDict):
    """Counts over many rows.

    Attributes:
        models: how many rows there were; each is ``fine``, has ``problems`` or is ``unreadable``.
        findings: code of a check -> models in which it found something.
        errors: kind of error -> rows that could not be read for it.
        operators: operator -> how many there are in all models.
        bytes: of all models that were read.
    """

    models: int
    fine: int
    problems: int
    unreadable: int
    findings: dict[str, int]
    errors: dict[str, int]
    operators: dict[str, int]
    bytes: int


def nothing() -> Summary:
    """The summary of no rows."""
    return {
        "models": 0, "fine": 0, "problems": 0, "unreadable": 0,
        "findings": {}, "errors": {}, "operators": {}, "bytes": 0,
    }  # fmt: skip


def add(total: Summary, row: Row) -> Summary:
    """``total`` with one row more; it is changed."""
    total["models"] += 1
    if row["error"] is not None:
        total["unreadable"] += 1
        _count(total["errors"], {str(row["error"]["code"]): 1})
    result = row["result"]
    if result is not None:
        total["fine" if row["ok"] else "problems"] += 1
        total["bytes"] += result["model"]["size"]
        _count(total["findings"], {f["code"]: 1 for f in result["findings"]})
        for subgraph in result["subgraphs"]:
            _count(total["operators"], subgraph["operators"])
    return total


def merge(totals: Iterable[Summary]) -> Summary:
    """The summary of the rows of all of them."""
    merged = nothing()
    for total in totals:
        for name in ("models", "fine", "problems", "unreadable", "bytes"):
            merged[name] += total[name]
        for counts in ("findings", "errors", "operators"):
            _count(merged[counts], total[counts])
    return merged


def summary(rows: Iterable[Row]) -> Summary:
    """The summary of rows that are here already; ``Tally`` does it in a pipeline."""
    total = nothing()
    for row in rows:
        add(total, row)
    return total


def _count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number
