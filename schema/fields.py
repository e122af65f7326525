"""The text of tflrepair/format/fields.py: every field with its type, enum and default."""

from __future__ import annotations

from typing import Any

from fbs import BLOCK, ENUM_TYPE, SCALARS, Field, enum_values, fields_of

HEAD = '''"""All fields of the TFLite schema. Made by schema/generate.py; do not edit.

FIELDS has a row for each slot of a table: (name, kind, of, default). ``kind`` is a struct character
for a scalar; ``S`` a string, ``T`` a table, ``U`` the value of a union (its type is the slot
before), and ``V`` before one of these a vector. ``of`` names the enum, table or union.
ENUMS and UNIONS name their values.
"""

from typing import Final

Field = tuple[str, str, str, int]
'''


def render_fields(text: str) -> str:
    blocks = BLOCK.findall(text)
    types = dict(ENUM_TYPE.findall(text))
    unions = {name: enum_values(body, 1) for kind, name, body in blocks if kind == "union"}
    enums = {name: enum_values(body, 0) for kind, name, body in blocks if kind == "enum"}
    enums = {name: values for name, values in enums.items() if name in types}
    out = [HEAD, "ENUMS: Final[dict[str, dict[int, str]]] = {"]
    for name, values in enums.items():
        if name not in ("BuiltinOperator",):
            out += [f'    "{name}": {{', *(f'        {n}: "{k}",' for k, n in values), "    },"]
    out += ["}", "", "UNIONS: Final[dict[str, dict[int, str]]] = {"]
    for name, values in unions.items():
        out += [f'    "{name}": {{', *(f'        {n}: "{k}",' for k, n in values), "    },"]
    out += ["}", "", "FIELDS: Final[dict[str, tuple[Field, ...]]] = {"]
    for kind, name, body in blocks:
        if kind != "table":
            continue
        rows = [row for field in fields_of(body) for row in rows_of(field, types, enums, unions)]
        out += [f'    "{name}": (', *(f"        {row}," for row in rows), "    ),"]
        if len(rows) < 2:
            out[-len(rows) - 2 :] = [f'    "{name}": ({"".join(f"{row}," for row in rows)}),']
    return "\n".join([*out, "}"]) + "\n"


def rows_of(field: Field, types: Any, enums: Any, unions: Any) -> list[str]:
    """The rows of one field: a union takes two slots."""
    name, vector, kind, default = field
    if kind in unions:
        return [f'("{name}_type", "B", "{kind}", 0)', f'("{name}", "U", "{kind}", 0)']
    mark, of = SCALARS.get(kind, ""), ""
    if kind == "string":
        mark = "S"
    elif kind in types:
        mark, of = SCALARS[types[kind]], kind
    elif not mark:
        mark, of = "T", kind
    value = dict(enums[of]).get(default, default) if of in enums else default
    value = {None: 0, "true": 1, "false": 0}.get(value, value)
    return [f'("{name}", "{"V" if vector else ""}{mark}", "{of}", {value})']
