"""Every field of ours, with its type and default, against LiteRT's generated schema."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as litert

from tflrepair.format.fields import ENUMS, FIELDS, UNIONS
from tflrepair.views.options import SUBGRAPH_FIELDS

# flatbuffers method of the generated writers -> our kind
METHODS = {
    "Bool": "?", "Int8": "b", "Uint8": "B", "Int16": "h", "Uint16": "H", "Int32": "i",
    "Uint32": "I", "Int64": "q", "Uint64": "Q", "Float32": "f", "Float64": "d",
    "UOffsetTRelative": "reference",
}  # fmt: skip
TABLES = [name for name in FIELDS if hasattr(litert, f"{name}Start")]


def writers(table: str) -> dict[int, tuple[str, str, str]]:
    """slot -> (name without underscores, kind, default) from the generated Add functions."""
    found = {}
    for name, function in vars(litert).items():
        if not name.startswith(f"{table}Add"):
            continue
        match = re.search(
            r"builder\.Prepend(\w+)Slot\((\d+), [^,]+(?:\([^)]*\))?, ([^)]+)\)",
            inspect.getsource(function),
        )
        if match:
            field = name.removeprefix(f"{table}Add").lower()
            found[int(match[2])] = (field, METHODS[match[1]], match[3])
    return found


def test_all_options_are_there() -> None:
    assert len(TABLES) > 150
    for union in ("BuiltinOptions", "BuiltinOptions2"):
        members = vars(getattr(litert, union))
        theirs = {v: k for k, v in members.items() if isinstance(v, int) and v and k[0] != "_"}
        assert theirs == UNIONS[union]
        assert set(theirs.values()) <= FIELDS.keys()


@pytest.mark.parametrize("table", TABLES)
def test_fields_equal_litert(table: str) -> None:
    theirs = writers(table)
    for slot, (name, kind, of, default) in enumerate(FIELDS[table]):
        if slot not in theirs:
            deprecated = ("tag", "new_height", "new_width")
            assert name in deprecated, f"{table}.{name} is not in LiteRT's schema"
            continue
        field, their_kind, their_default = theirs.pop(slot)
        assert name.replace("_", "") == field
        assert (kind if len(kind) == 1 and kind not in "STU" else "reference") == their_kind
        if their_kind != "reference":
            wanted: Any = {"True": 1, "False": 0}.get(their_default, their_default)
            assert float(default) == float(wanted), (table, name, of)
    assert not theirs, f"{table} lacks {theirs}"


@pytest.mark.parametrize("enum", [name for name in ENUMS if hasattr(litert, name)])
def test_enums_equal_litert(enum: str) -> None:
    members = vars(getattr(litert, enum))
    theirs = {v: k for k, v in members.items() if isinstance(v, int) and not k.startswith("_")}
    assert theirs == ENUMS[enum]


def test_every_field_that_names_a_subgraph_is_known() -> None:
    """Else a part that is cut out of a model would call a wrong subgraph."""
    fields = {
        name
        for union in ("BuiltinOptions", "BuiltinOptions2")
        for member in UNIONS[union].values()
        for name, *_ in FIELDS[member]
        if "subgraph" in name
    }
    assert fields == SUBGRAPH_FIELDS
