"""Every schema fact of ours against two independent generated readers."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from typing import Any

import pytest
import tflite
from ai_edge_litert import schema_py_generated as litert
from conftest import ROOT

from tflrepair.format import schema

ENUMS = ("TensorType", "BuiltinOperator", "BuiltinOptions", "BuiltinOptions2",
         "QuantizationDetails", "SparseIndexVector")  # fmt: skip
# flatbuffers method of the generated writers -> our layout character
METHODS = {"Bool": "?", "Int8": "b", "Uint8": "B", "Int32": "i", "Uint32": "I", "Uint64": "Q",
           "UOffsetTRelative": "r"}  # fmt: skip


def members(cls: Any) -> dict[str, int]:
    return {k: v for k, v in vars(cls).items() if k[0].isupper() and isinstance(v, int)}


@pytest.mark.parametrize("name", ENUMS)
def test_enums_equal_litert(name: str) -> None:
    theirs = members(getattr(litert, name))
    theirs.pop("NONE", None)
    assert members(getattr(schema, name)) == theirs


@pytest.mark.parametrize("name", ENUMS)
def test_enums_contain_the_tflite_package(name: str) -> None:
    ours = members(getattr(schema, name))
    module = importlib.import_module(f"tflite.{name}")
    theirs = members(getattr(module, name))
    theirs.pop("NONE", None)
    assert theirs.items() <= ours.items()


def test_operator_names() -> None:
    theirs = members(litert.BuiltinOperator)
    assert {code: name for name, code in theirs.items()} == schema.BUILTIN_OPERATOR_NAMES
    assert {c: n for n, c in members(litert.TensorType).items()} == schema.TENSOR_TYPE_NAMES


def litert_slots(table: str) -> dict[int, str]:
    """slot -> layout character, from the source of the generated writer functions."""
    slots = {}
    for name, function in vars(litert).items():
        if not re.fullmatch(table + r"Add\w+", name):
            continue
        source = inspect.getsource(function)
        match = re.search(r"builder\.Prepend(\w+)Slot\((\d+),", source)
        if match:
            slots[int(match[2])] = METHODS[match[1]]
    return slots


@pytest.mark.parametrize("table", schema.LAYOUT)
def test_slots_equal_litert(table: str) -> None:
    ours = dict(enumerate(schema.LAYOUT[table]))
    theirs = litert_slots(table)
    if table == "SignatureDef":
        ours.pop(3)  # deprecated: generated code has no writer for it
    assert ours == theirs


@pytest.mark.parametrize("table", schema.LAYOUT)
def test_slot_names_equal_the_tflite_package(table: str) -> None:
    """The tflite package reads field N at vtable offset 4 + 2 N."""
    if not hasattr(tflite, table):
        assert table in (
            "ExternalBufferGroup",
            "ExternalBuffer",
            "StablehloCaseOptions",
        )  # newer than the package
        return
    ours = {k.replace("_", ""): v for k, v in members(getattr(schema, table)).items()}
    cls = getattr(tflite, table)
    cls = cls if inspect.isclass(cls) else getattr(cls, table)
    checked = 0
    for name, method in vars(cls).items():
        if not callable(method) or name in ("Init",) or name.startswith(("GetRoot", "__")):
            continue
        found = re.search(r"self\._tab\.Offset\((\d+)\)", inspect.getsource(method))
        field = re.sub(r"(AsNumpy|Length|IsNone)$", "", name).upper()
        if found and field in ours:
            assert ours[field] == (int(found[1]) - 4) // 2, (table, name)
            checked += 1
    assert checked >= len([n for n in ours if n != "TAG"]) - 4, f"only {checked} fields compared"


@pytest.mark.runs
def test_generated_modules_are_current() -> None:
    command = [sys.executable, str(ROOT / "schema" / "generate.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
