"""Turn schema/tflite_subset.fbs into tflrepair/format/schema.py.

    python schema/generate.py            write the module
    python schema/generate.py --check    exit 1 if the module is not what would be written

It understands only the part of the flatbuffer language that our file uses: ``enum``, ``union``
and ``table`` with one field a line.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "tflite_subset.fbs"
TARGET = HERE.parent / "tflrepair" / "format" / "schema.py"

# flatbuffer scalar type -> struct character
SCALARS = {
    "bool": "?", "byte": "b", "ubyte": "B", "short": "h", "ushort": "H", "int": "i",
    "uint": "I", "long": "q", "ulong": "Q", "float": "f", "double": "d",
}  # fmt: skip
BLOCK = re.compile(r"^(enum|union|table)\s+(\w+)[^{]*\{(.*?)^\}", re.S | re.M)


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


def table_slots(body: str, unions: set[str]) -> tuple[list[str], str]:
    """The slot names of a table and a layout character for each."""
    names: list[str] = []
    layout = ""
    for line in lines_of(body):
        match = re.match(r"(\w+)\s*:\s*(\[?\w+\]?)\s*(?:=\s*-?\d+)?\s*(?:\(deprecated\))?$", line)
        if match is None:
            raise SystemExit(f"{SOURCE.name}: cannot read the field {line!r}")
        name, kind = match.groups()
        if kind in unions:
            names.append(name + "_type")
            layout += "B"
        names.append(name)
        layout += SCALARS.get(kind, "r")
    return names, layout


def render(text: str) -> str:
    blocks = BLOCK.findall(text)
    unions = {name for kind, name, _ in blocks if kind == "union"}
    out = [
        '"""Facts of the TensorFlow Lite schema. Made by schema/generate.py; do not edit.',
        "",
        "A table's class holds the slot of each field; LAYOUT has one character a slot: a struct",
        "character for a scalar, ``r`` for a reference (string, vector, table or union value).",
        '"""',
        "",
        "from typing import Final",
        "",
    ]
    layouts: dict[str, str] = {}
    for kind, name, body in blocks:
        out += ["", f"class {name}:"]
        if kind == "table":
            slots, layouts[name] = table_slots(body, unions)
            pairs = [(slot.upper(), number) for number, slot in enumerate(slots)]
        else:
            pairs = enum_values(body, 0 if kind == "enum" else 1)
        out += [f"    {field}: Final = {value}" for field, value in pairs] or ["    pass"]
        out.append("")
    for kind, name, body in blocks:
        if kind == "enum":
            constants = "".join(f'    {value}: "{key}",\n' for key, value in enum_values(body, 0))
            title = re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()
            out += ["", f"{title}_NAMES: Final[dict[int, str]] = {{\n{constants}}}"]
    rows = "".join(f'    "{name}": "{layout}",\n' for name, layout in layouts.items())
    out += ["", f"LAYOUT: Final[dict[str, str]] = {{\n{rows}}}"]
    return "\n".join(out) + "\n"


def main(arguments: list[str]) -> int:
    wanted = render(SOURCE.read_text(encoding="utf-8"))
    if arguments == ["--check"]:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted else 1
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
