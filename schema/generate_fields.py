"""Turn the .fbs files into tflrepair/format/fields.py: every field with its type and default.

python schema/generate_fields.py            write the module
python schema/generate_fields.py --check    exit 1 if the module is not what would be written
"""

from __future__ import annotations

import re
import sys
from typing import Any

from generate import BLOCK, HERE, SCALARS, enum_values, lines_of

SOURCES = tuple(
    HERE / name for name in ("tflite_subset.fbs", "decoded_options.fbs", "metadata.fbs")
)
TARGET = HERE.parent / "tflrepair" / "format" / "fields.py"
FIELD = re.compile(
    r"(\w+)\s*:\s*(\[)?(\w+)\]?\s*(?:=\s*(-?\w+))?\s*(?:\((?:deprecated|force_align: \d+)\))?$"
)
ENUM_TYPE = re.compile(r"^enum (\w+)\s*:\s*(\w+)", re.M)

HEAD = '''"""All fields of the TFLite schema. Made by schema/generate_fields.py; do not edit.

FIELDS has a row for each slot of a table: (name, kind, of, default). ``kind`` is a struct character
for a scalar; ``S`` a string, ``T`` a table, ``U`` the value of a union (its type is the slot
before), and ``V`` before one of these a vector. ``of`` names the enum, table or union.
ENUMS and UNIONS name their values.
"""

from typing import Final

Field = tuple[str, str, str, int]
'''


def main(arguments: list[str]) -> int:
    wanted = render("\n".join(path.read_text(encoding="utf-8") for path in SOURCES))
    if arguments == ["--check"]:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted else 1
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


def render(text: str) -> str:
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
        rows = [row for line in lines_of(body) for row in fields(line, types, enums, unions)]
        out += [f'    "{name}": (', *(f"        {row}," for row in rows), "    ),"]
        if len(rows) < 2:
            out[-len(rows) - 2 :] = [f'    "{name}": ({"".join(f"{row}," for row in rows)}),']
    return "\n".join([*out, "}"]) + "\n"


def fields(line: str, types: Any, enums: Any, unions: Any) -> list[str]:
    """The rows of one field: a union takes two slots."""
    match = FIELD.match(line)
    if match is None:
        raise SystemExit(f"cannot read the field {line!r}")
    name, vector, kind, default = match.groups()
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
