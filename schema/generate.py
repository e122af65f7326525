"""Turn the schema in this folder into the two modules of facts in tflrepair/format.

    python schema/generate.py            write the modules
    python schema/generate.py --check    exit 1 if a module is not what would be written

``tflite_subset.fbs`` (what we read and write by name) becomes ``schema.py``; both files together
become ``layout.py``, the description that drives the structural verifier.

It understands only the part of the flatbuffer language that our files use: ``enum``, ``union``
and ``table`` with one field a line.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "tflite_subset.fbs"
OPTIONS = HERE / "tflite_options.fbs"
FORMAT = HERE.parent / "tflrepair" / "format"

# flatbuffer scalar type -> struct character
SCALARS = {
    "bool": "?", "byte": "b", "ubyte": "B", "short": "h", "ushort": "H", "int": "i",
    "uint": "I", "long": "q", "ulong": "Q", "float": "f", "double": "d",
}  # fmt: skip
FIELD = re.compile(r"(\w+)\s*:\s*(\[?\w+\]?)\s*(?:=\s*-?\w+)?\s*(?:\(deprecated\))?$")
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


def fields_of(body: str) -> list[tuple[str, str]]:
    """(name, type) of each field of a table."""
    fields = []
    for line in lines_of(body):
        match = FIELD.match(line)
        if match is None:
            raise SystemExit(f"cannot read the field {line!r}")
        fields.append((match[1], match[2]))
    return fields


def table_slots(body: str, unions: set[str]) -> tuple[list[str], str]:
    """The slot names of a table and a layout character for each."""
    names: list[str] = []
    layout = ""
    for name, kind in fields_of(body):
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


def field_kinds(body: str, tables: set[str], unions: set[str]) -> list[tuple[str, str]]:
    """(name, kind) of each slot, in the words of layout.py."""
    slots = []
    for name, kind in fields_of(body):
        inner = kind.strip("[]")
        if kind in unions:
            slots += [(name + "_type", "B"), (name, "|" + kind)]
        elif kind == "string":
            slots.append((name, "s"))
        elif kind in tables:
            slots.append((name, "*" + kind))
        elif inner in tables:
            slots.append((name, "[*" + inner))
        else:
            slots.append((name, ("[" if kind != inner else "") + SCALARS[inner]))
    return slots


def ordered(layouts: dict[str, list[tuple[str, str]]], unions: dict[str, list[str]]) -> list[str]:
    """The tables, each behind all that refer to it; the schema has no circles."""
    order: list[str] = []
    above: list[str] = []

    def visit(table: str) -> None:
        if table in above:
            raise SystemExit(f"the schema has a circle through {table}")
        if table in order:
            return
        above.append(table)
        for _, kind in layouts[table]:
            member = kind.lstrip("[*|")
            for below in unions.get(member, [member] if "*" in kind else []):
                visit(below)
        order.append(above.pop())

    for table in layouts:
        visit(table)
    return order[::-1]


def render_layout(text: str) -> str:
    blocks = BLOCK.findall(text)
    tables = {name for kind, name, _ in blocks if kind == "table"}
    unions = {name: lines_of(body) for kind, name, body in blocks if kind == "union"}
    rows = {n: field_kinds(body, tables, set(unions)) for k, n, body in blocks if k == "table"}
    out = [
        '"""Every table of the TensorFlow Lite schema. Made by schema/generate.py; do not edit.',
        "",
        "TABLES has (name, kind) of each slot. A kind is a struct character for a scalar, ``s``",
        "for a string, ``[`` and a struct character for a vector of scalars, ``*T`` for a table,",
        "``[*T`` for a vector of tables, ``|U`` for the value of a union (the slot before it has",
        "its type). UNIONS has the members of a union by type; 0 is none. A table comes behind all",
        "tables that refer to it.",
        '"""',
        "",
        "from typing import Final",
        "",
        "TABLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {",
    ]
    for table in ordered(rows, unions):
        pairs = [f'("{name}", "{kind}"),' for name, kind in rows[table]]
        if len(pairs) < 2:
            out.append(f'    "{table}": ({"".join(pairs)}),')
        else:
            out += [f'    "{table}": (', *(f"        {pair}" for pair in pairs), "    ),"]
    out += ["}", "", "UNIONS: Final[dict[str, tuple[str, ...]]] = {"]
    for union, members in unions.items():
        out.append(f'    "{union}": (')
        out += [f'        "{member}",' for member in ["", *members]]
        out.append("    ),")
    return "\n".join([*out, "}"]) + "\n"


def main(arguments: list[str]) -> int:
    subset, options = (path.read_text(encoding="utf-8") for path in (SOURCE, OPTIONS))
    wanted = {
        FORMAT / "schema.py": render(subset),
        FORMAT / "layout.py": render_layout(subset + options),
    }
    if arguments == ["--check"]:
        return int(any(not p.exists() or p.read_text("utf-8") != t for p, t in wanted.items()))
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
