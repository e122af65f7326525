"""Turn the schema in this folder into the three modules of facts in tflrepair/format.

    python schema/generate.py            write the modules
    python schema/generate.py --check    exit 1 if a module is not what would be written

``tflite_subset.fbs`` (what we read and write by name) becomes ``schema.py``. Together with
``tflite_options.fbs`` it becomes ``layout.py``, the description that drives the verifier, and with
``metadata.fbs`` also ``fields.py``, which has enums and defaults for showing and copying.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from fbs import BLOCK, ENUM_TYPE, SCALARS, enum_values, fields_of, lines_of
from fields import render_fields

HERE = Path(__file__).resolve().parent
FORMAT = HERE.parent / "tflrepair" / "format"


def table_slots(body: str, unions: set[str]) -> tuple[list[str], str]:
    """The slot names of a table and a layout character for each."""
    names: list[str] = []
    layout = ""
    for field in fields_of(body):
        if field.kind in unions:
            names.append(field.name + "_type")
            layout += "B"
        names.append(field.name)
        layout += "r" if field.vector else SCALARS.get(field.kind, "r")
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


def field_kinds(
    body: str, tables: set[str], unions: set[str], scalars: dict[str, str]
) -> list[tuple[str, str]]:
    """(name, kind) of each slot, in the words of layout.py."""
    slots = []
    for name, vector, kind, _ in fields_of(body):
        mark = "[" if vector else ""
        if kind in unions:
            slots += [(name + "_type", "B"), (name, "|" + kind)]
        elif kind == "string":
            slots.append((name, mark + "s"))
        elif kind in tables:
            slots.append((name, f"{mark}*{kind}"))
        else:
            slots.append((name, mark + scalars[kind]))
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
    scalars = SCALARS | {name: SCALARS[of] for name, of in ENUM_TYPE.findall(text)}
    rows = {
        name: field_kinds(body, tables, set(unions), scalars)
        for kind, name, body in blocks
        if kind == "table"
    }
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
    subset, options, metadata = (
        (HERE / f"{name}.fbs").read_text(encoding="utf-8")
        for name in ("tflite_subset", "tflite_options", "metadata")
    )
    wanted = {
        FORMAT / "schema.py": render(subset),
        FORMAT / "layout.py": render_layout(subset + options),
        FORMAT / "fields.py": render_fields("\n".join((subset, options, metadata))),
    }
    if arguments == ["--check"]:
        return int(any(not p.exists() or p.read_text("utf-8") != t for p, t in wanted.items()))
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
