"""The lists of fields in front of tables ("vtables"), each checked once however many share it."""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.format.layout import TABLES
from tflrepair.structure.words import SIZES, Words
from tflrepair.wording import plural


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is present: its slot, and how many bytes behind the table's start it is."""

    slot: int
    name: str
    kind: str
    offset: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a vtable says of tables of one type; ``wrong`` says why it is none."""

    fields: tuple[Field, ...]
    length: int
    wrong: str = ""
    misaligned: str = ""


def read_plan(words: Words, table: str, vtable: int) -> Plan:
    """The plan of the vtable at byte ``vtable`` for tables of type ``table``."""
    if vtable < 0 or vtable > words.size - 4:
        return Plan((), 0, f"its field list would be at byte {vtable} of {words.size}")
    if vtable % 2:
        return Plan((), 0, misaligned=f"its field list is at the odd byte {vtable}")
    shorts = words["H"]
    size, length = shorts[vtable >> 1], shorts[(vtable >> 1) + 1]
    if size < 4 or size % 2 or vtable + size > words.size:
        return Plan(
            (), 0, f"its field list at byte {vtable} claims a size of {plural(size, 'byte')}"
        )
    if length < 4:
        return Plan(
            (), 0, f"its field list at byte {vtable} claims a table of {plural(length, 'byte')}"
        )
    offsets = shorts[(vtable >> 1) + 2 : (vtable + size) >> 1].tolist()
    return _fields(table, offsets, length)


def _fields(table: str, offsets: list[int], length: int) -> Plan:
    fields = []
    slots = TABLES[table]
    for slot, offset in enumerate(offsets):
        if not offset:
            continue
        if slot >= len(slots):  # newer than our schema: within the table, and no more is known
            if not 4 <= offset < length:
                return Plan((), 0, f"the field in slot {slot} lies outside its table")
            continue
        name, kind = slots[slot]
        size = SIZES.get(kind, 4)
        if offset < 4 or offset + size > length:
            return Plan(
                (), 0, f"the field {name!r} lies outside its table of {plural(length, 'byte')}"
            )
        if offset % min(size, 4):
            return Plan(
                (), 0, misaligned=f"the field {name!r} is not aligned to {plural(size, 'byte')}"
            )
        fields.append(Field(slot, name, kind, offset))
    return Plan(tuple(fields), length)
