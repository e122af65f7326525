"""The part of the flatbuffer language that the .fbs files in this folder use.

``enum``, ``union`` and ``table``, with one field or value a line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# flatbuffer scalar type -> struct character
SCALARS = {
    "bool": "?", "byte": "b", "ubyte": "B", "short": "h", "ushort": "H", "int": "i",
    "uint": "I", "long": "q", "ulong": "Q", "float": "f", "double": "d",
}  # fmt: skip
FIELD = re.compile(
    r"(\w+)\s*:\s*(\[)?(\w+)\]?\s*(?:=\s*(-?\w+))?\s*(?:\((?:deprecated|force_align: \d+)\))?$"
)
BLOCK = re.compile(r"^(enum|union|table)\s+(\w+)[^{]*\{(.*?)^\}", re.S | re.M)
ENUM_TYPE = re.compile(r"^enum (\w+)\s*:\s*(\w+)", re.M)


def lines_of(body: str) -> list[str]:
    stripped = (re.sub(r"//.*", "", line).strip().rstrip(",;") for line in body.splitlines())
    return [line for line in stripped if line]


def enum_values(body: str, first: int) -> list[tuple[str, int]]:
    values, following = [], first
    for line in lines_of(body):
        name, _, number = (part.strip() for part in line.partition("="))
        value = int(number) if number else following
        values.append((name, value))
        following = value + 1
    return values


class Field(NamedTuple):
    name: str
    vector: bool
    kind: str
    default: str | None


def fields_of(body: str) -> list[Field]:
    """The fields of a table, as they stand there."""
    fields = []
    for line in lines_of(body):
        match = FIELD.match(line)
        if match is None:
            raise SystemExit(f"cannot read the field {line!r}")
        fields.append(Field(match[1], bool(match[2]), match[3], match[4]))
    return fields
