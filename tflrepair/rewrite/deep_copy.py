"""Old tables rebuilt in a new head, by the types of their fields, nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.format import typed
from tflrepair.format.fields import FIELDS, UNIONS
from tflrepair.format.reader import Table
from tflrepair.format.splice import Head

_NOTHING: Mapping[int, int] = {}


@cache
def kinds(name: str) -> str:
    """The layout characters of schema table ``name``: ``r`` for each reference."""
    return "".join(
        kind if len(kind) == 1 and kind not in "STU" else "r" for _, kind, _, _ in FIELDS[name]
    )


def copy(head: Head, table: Table, name: str, replaced: Mapping[int, int] = _NOTHING) -> int:
    """A new table of type ``name`` with everything that ``table`` holds, but for ``replaced``.

    Args:
        replaced: slot -> number or offset; -1 leaves a reference out.

    Raises:
        UnsupportedError: a field or union member that is newer than our schema: its type is not
            known, so it cannot be copied.
        BadFileError: a field lies outside the file.
    """
    rows = FIELDS[name]
    newer = [slot for slot in range(len(rows), len(table.slots)) if table.slots[slot]]
    if newer:
        raise UnsupportedError(
            f"a {name} table has a field newer than this tflrepair (slot {newer[0]})",
            where=f"byte {table.pos}",
            hint="update tflrepair; nothing was written",
        )
    fields: dict[int, Any] = {}
    for slot, (_, kind, of, default) in enumerate(rows):
        if slot in replaced:
            if replaced[slot] >= 0 or (len(kind) == 1 and kind not in "STU"):
                fields[slot] = replaced[slot]
        elif table.at(slot):
            fields[slot] = _field(head, table, slot, kind, of, default)
    return head.put(kinds(name), fields)


def _field(head: Head, table: Table, slot: int, kind: str, of: str, default: int) -> Any:
    if kind == "S":
        return head.string(table.string(slot) or "")
    if kind == "T":
        return copy(head, table.reader.table(table.reference(slot)), of)
    if kind == "U":
        number = table.scalar(slot - 1, "B")
        member = UNIONS[of].get(number)
        if member is None:
            raise UnsupportedError(
                f"{of} of type {number} is newer than this tflrepair", where=f"byte {table.pos}"
            )
        return copy(head, table.reader.table(table.reference(slot)), member)
    if kind == "VT":
        rows = [copy(head, table.reader.table(pos), of) for pos in table.tables(slot)]
        return head.tables(rows)
    if kind == "VS":
        return head.tables([head.string(text) for text in typed.strings(table, slot)])
    if kind == "VB":
        return head.data(bytes(typed.vector(table, slot, "B")))
    if kind[0] == "V":
        return head.numbers(typed.vector(table, slot, kind[1]), kind[1])
    return typed.scalar(table, slot, kind, default)
