"""Tables read by the types of their fields (``fields.py``): options, quantization, sparsity.

Everything is bounds-checked by the reader. Fields that are newer than our schema are counted, not
guessed at.
"""

from __future__ import annotations

import struct
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.format.fields import ENUMS, FIELDS, UNIONS
from tflrepair.format.reader import Table

UNKNOWN = "newer_fields"


def decode(table: Table, name: str) -> dict[str, Any]:
    """All fields of a table of schema type ``name``, absent ones with the schema's default.

    Enums become the names of their values, unions ``{"type": member, ...its fields}``, vectors
    tuples, strings text with lone surrogates for what is no UTF-8. A table with fields that the
    schema lacks has their slots under ``newer_fields``.

    Raises:
        BadFileError: a field lies outside the file.
    """
    result: dict[str, Any] = {}
    rows = FIELDS[name]
    for slot, (field, kind, of, default) in enumerate(rows):
        if kind == "B" and of in UNIONS:
            continue  # the type of a union; told with its value
        result[field] = _value(table, slot, kind, of, default)
    newer = [slot for slot in range(len(rows), len(table.slots)) if table.slots[slot]]
    if newer:
        result[UNKNOWN] = tuple(newer)
    return result


def _value(table: Table, slot: int, kind: str, of: str, default: int) -> Any:
    if kind == "U":
        return _union(table, slot, of)
    if kind == "S":
        return table.string(slot)
    if kind == "T":
        inner = table.table(slot)
        return None if inner is None else decode(inner, of)
    if kind == "VT":
        return tuple(decode(table.reader.table(pos), of) for pos in table.tables(slot))
    if kind == "VS":
        return tuple(strings(table, slot))
    if kind[0] == "V":
        values = vector(table, slot, kind[1])
        return tuple(_named(of, value) for value in values) if of in ENUMS else values
    value = scalar(table, slot, kind, default)
    return _named(of, value) if of in ENUMS else value


def _named(enum: str, value: Any) -> Any:
    return ENUMS[enum].get(value, value)


def _union(table: Table, slot: int, of: str) -> dict[str, Any] | None:
    number = table.scalar(slot - 1, "B")
    inner = table.table(slot) if number else None
    if inner is None:
        return None
    member = UNIONS[of].get(number)
    if member is None:
        return {"type": number}
    return {"type": member, **decode(inner, member)}


def scalar(table: Table, slot: int, kind: str, default: float = 0) -> Any:
    """The number in ``slot`` in its own type: bool for ``?``, float for ``f`` and ``d``."""
    pos = table.at(slot)
    if not pos:
        return bool(default) if kind == "?" else float(default) if kind in "fd" else default
    if pos - table.pos + struct.calcsize(kind) > table.length:
        raise BadFileError("a field lies outside its table", where=f"byte {pos}")
    return table.reader.unpack(struct.Struct("<" + kind), pos)[0]


def vector(table: Table, slot: int, kind: str) -> tuple[Any, ...] | bytes:
    """The vector of numbers in ``slot``; bytes where its elements are bytes."""
    if kind == "B":
        span = table.span(slot)
        if span is None:
            return b""
        table.reader.spend(span[1])
        return bytes(table.reader.read(*span))
    pos = table.reference(slot)
    if not pos:
        return ()
    first, count = table.reader.vector(pos, struct.calcsize("<" + kind))
    table.reader.spend(count)
    return table.reader.unpack(struct.Struct(f"<{count}{kind}"), first)


def strings(table: Table, slot: int) -> list[str]:
    """The vector of strings in ``slot``."""
    reader, found = table.reader, []
    for pos in table.tables(slot):  # a vector of references, whatever they refer to
        start, length = reader.vector(pos, 1)
        reader.spend(length)
        found.append(str(reader.read(start, length), "utf-8", "surrogateescape"))
    return found
