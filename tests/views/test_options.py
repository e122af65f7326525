"""Decoded options against LiteRT's object API, and custom options that anyone may have made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA, ROOT
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st

from tflrepair.graph.model import from_bytes, load
from tflrepair.views.options import options

FILES = [*sorted(DATA.glob("*.tflite")), ROOT / "tflrepair" / "samples" / "broken.tflite"]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_options_equal_the_object_api(path: Path) -> None:
    model = load(path)
    theirs = fb.ModelT.InitFromObj(fb.Model.GetRootAs(path.read_bytes(), 0))
    compared = 0
    for subgraph, table in zip(model.subgraphs, theirs.subgraphs, strict=True):
        for operator, row in zip(subgraph.operators, table.operators, strict=True):
            found = options(model, operator)
            if row.builtinOptions is None:
                assert not found.kind or operator.is_custom
                continue
            assert found.kind + "T" == type(row.builtinOptions).__name__
            for name, value in found.values.items():
                assert same(getattr(row.builtinOptions, camel(name)), value), (found.kind, name)
                compared += 1
    assert compared


def same(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, bytes):
        return bool(theirs.decode() == ours)
    if isinstance(ours, str) and isinstance(theirs, int):  # an enum by name
        return any(
            vars(enum).get(ours) == theirs
            for enum in (
                fb.ActivationFunctionType,
                fb.Padding,
                fb.TensorType,
                fb.FullyConnectedOptionsWeightsFormat,
            )
        )
    if theirs is None:
        return ours in (None, (), b"")
    return bool(list(theirs) == list(ours) if isinstance(ours, tuple) else theirs == ours)


def test_flex_attributes() -> None:
    model = load(DATA / "half.tflite")
    flex = next(o for s in model.subgraphs for o in s.operators if o.name == "FlexVarHandleOp")
    found = options(model, flex)
    assert found.kind == "NodeDef"
    assert found.values["dtype"] == "float16"
    assert isinstance(found.values["shape"], tuple)
    assert found.values["shared_name"]


def custom(data: bytes) -> Any:
    build = Build()
    sub = build.sub("main")
    x = sub.input()
    out = sub.tensor()
    sub.op("Mine", [x], [out])
    sub.output(out)
    sub.table.operators[0].customOptions = list(data)
    model = from_bytes(build.bytes())
    return options(model, model.subgraph(0).operators[0])


def test_a_flexbuffer_map() -> None:
    values = {"max_detections": 10, "scale": 0.5, "names": ["a", "b"], "on": True}
    found = custom(bytes(flexbuffers.Dumps(values)))
    assert found.kind == "flexbuffer"
    assert found.values == values | {"names": ("a", "b")}


def test_other_bytes_stay_bytes() -> None:
    found = custom(b"\x01\x02\x03hello, this is no flexbuffer at all")
    assert found.kind == "bytes"
    assert found.values["length"] == 38


def test_a_flexbuffer_that_refers_to_itself_without_end() -> None:
    """Nine vectors, each of nine references to the one before: 9 ** 9 elements when walked."""
    builder = flexbuffers.Builder(share_strings=False)
    with builder.Vector():
        for number in range(9):
            builder.Int(number)
    inner = bytes(builder.Finish())
    data = bytearray(inner[:-2])
    position = len(data) - 9 - 9  # the first element of the innermost vector, one byte each
    for _ in range(9):
        start = len(data) + 1
        data.append(9)
        for element in range(9):
            data.append(start + element - position)
        data += bytes([10 << 2] * 9)
        position = start
    data += bytes([len(data) - position, 10 << 2, 1])
    assert custom(bytes(data)).kind == "bytes"


@given(st.binary(max_size=200))
def test_any_custom_options_are_told(data: bytes) -> None:
    assert custom(data).kind in ("", "bytes", "flexbuffer")
