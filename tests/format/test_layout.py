"""The description that drives the verifier, against LiteRT's generated reader and writer."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as litert
from conftest import ROOT

from tflrepair.format.layout import TABLES, UNIONS
from tflrepair.sources.pages import SIZES

# what a generated reader of one field contains -> our kind
_FLAGS = {"Bool": "?", "Int8": "b", "Uint8": "B", "Int16": "h", "Uint16": "H", "Int32": "i",
          "Uint32": "I", "Int64": "q", "Uint64": "Q", "Float32": "f", "Float64": "d"}  # fmt: skip


def kind_of(source: str) -> str:
    """Our kind of a field, from the source of the method that reads it."""
    flag = re.search(r"Get\(flatbuffers\.number_types\.(\w+?)Flags", source)
    table = re.search(r"obj = (\w+)\(", source)
    vector = "[" if "_tab.Vector(" in source else ""
    if "Table(bytearray" in source:
        return "|"
    if table:
        return f"{vector}*{table[1]}"
    return vector + _FLAGS[flag[1]] if flag else "s"


def fields(table: str) -> dict[int, str]:
    """slot -> kind."""
    found: dict[int, str] = {}
    for name, method in vars(getattr(litert, table)).items():
        if inspect.isfunction(method) and not re.search(r".(AsNumpy|Length|IsNone)$", name):
            source = inspect.getsource(method)
            offset = re.search(r"_tab\.Offset\((\d+)\)", source)
            if offset:
                found[(int(offset[1]) - 4) // 2] = kind_of(source)
    return found


def litert_tables() -> list[str]:
    return [name for name, cls in vars(litert).items() if hasattr(cls, "GetRootAs")]


def test_every_table_is_described() -> None:
    assert TABLES.keys() == set(litert_tables())


@pytest.mark.parametrize("table", TABLES)
def test_fields_equal_litert(table: str) -> None:
    ours = {
        slot: kind[0] if kind[0] == "|" else kind for slot, (_, kind) in enumerate(TABLES[table])
    }
    theirs = fields(table)
    deprecated = ours.keys() - theirs.keys()
    assert theirs.items() <= ours.items()
    assert len(deprecated) == {"SignatureDef": 1, "ResizeBilinearOptions": 2}.get(table, 0)
    size = re.search(r"StartObject\((\d+)\)", inspect.getsource(getattr(litert, table + "Start")))
    assert size and int(size[1]) == len(ours)


@pytest.mark.parametrize("table", TABLES)
def test_vectors_have_the_element_size_of_litert(table: str) -> None:
    for name, kind in TABLES[table]:
        camel = "".join(part.capitalize() for part in name.split("_"))
        writer: Any = getattr(litert, f"{table}Start{camel}Vector", None)
        if kind[0] == "[" and writer is not None:
            size = re.search(r"StartVector\((\d+)", inspect.getsource(writer))
            assert size and int(size[1]) == SIZES.get(kind[1], 4), name


def test_unions_equal_litert() -> None:
    for union, members in UNIONS.items():
        found = vars(getattr(litert, union)).items()
        theirs = {v: k for k, v in found if isinstance(v, int) and k[0] != "_"}
        assert dict(enumerate(members)) == {**theirs, 0: ""}


@pytest.mark.runs
@pytest.mark.slow
def test_the_versions_of_operators_are_litert_s() -> None:
    command = [sys.executable, str(ROOT / "schema" / "probe_versions.py"), "--check"]
    assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
