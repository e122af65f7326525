"""The one object that each command prints: ``schema``, ``ok``, ``exit_code``, results, errors.

Names and paths may hold bytes that are not UTF-8. Python keeps such a byte as half of a surrogate
pair, which is no text in JSON (RFC 8259, section 8.2): other programs refuse it or replace it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.errors import TflRepairError

if TYPE_CHECKING:
    from tflrepair.report.contract.parts import ErrorItem

_HALF = re.compile("[\ud800-\udfff]")
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


def well_formed(value: Any) -> Any:
    """``value`` with ``\\xff`` for a byte FF that is not UTF-8, in all texts and keys."""
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub(_escaped, value)
    if isinstance(value, Mapping):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [well_formed(item) for item in value]
    return value


def _escaped(half: re.Match[str]) -> str:
    """``surrogateescape`` keeps the bytes 80 to FF at U+DC80 to U+DCFF."""
    code = ord(half.group())
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


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
