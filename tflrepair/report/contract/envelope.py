"""The one object that each command prints: ``schema``, ``ok``, ``exit_code``, results, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.errors import TflRepairError

if TYPE_CHECKING:
    from tflrepair.report.contract.parts import ErrorItem

VERSION = 2  # of every schema; see ``commands``


def envelope(
    command: str,
    exit_code: int,
    results: Sequence[Mapping[str, Any]],
    errors: Sequence[ErrorItem] = (),
) -> dict[str, Any]:
    """What ``command`` prints. ``ok`` is true for exit code 0 alone."""
    return {
        "schema": f"tflrepair/{command}/{VERSION}",
        "ok": exit_code == 0,
        "exit_code": exit_code,
        "results": list(results),
        "errors": list(errors),
    }


def error_item(
    error: TflRepairError, path: str | None = None, *, salvage: bool = False
) -> ErrorItem:
    """An error as data; ``salvage``: with what can still be read of a damaged file."""
    found: ErrorItem = {
        "code": error.code,
        "path": path,
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "options": list(getattr(error, "options", ())),
        "fault_count": 0,
        "faults": [],
        "remains": None,
    }
    verdict = getattr(error, "verdict", None)
    if verdict is not None:
        from tflrepair.report.contract.damaged import fault_items, remains_item
        from tflrepair.structure.salvage import remains

        found["fault_count"] = verdict.count
        found["faults"] = fault_items(verdict)
        found["remains"] = remains_item(remains(verdict)) if salvage else None
    return found
