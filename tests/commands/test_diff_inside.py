"""diff --run: a fault in the body of a loop or in a branch shows at the operator that runs it."""

from __future__ import annotations

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as fb
from conftest import DATA

from tflrepair.commands.diff import diff
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.report.diff import text
from tflrepair.report.style import Style

pytestmark = pytest.mark.runs


def subtracting(subgraph: int, operator: int) -> Model:
    """flow.tflite, in which one ADD or MUL is a SUB."""
    data = (DATA / "flow.tflite").read_bytes()
    model = fb.ModelT.InitFromObj(fb.Model.GetRootAs(data, 0))
    codes = [row.builtinCode for row in model.operatorCodes]
    row = model.subgraphs[subgraph].operators[operator]
    row.opcodeIndex = codes.index(fb.BuiltinOperator.SUB)
    row.builtinOptionsType, row.builtinOptions = fb.BuiltinOptions.SubOptions, fb.SubOptionsT()
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return from_bytes(bytes(builder.Output()))


@pytest.mark.parametrize(
    ("subgraph", "operator", "kind", "inside"), [(5, 2, "ADD", "WHILE"), (3, 1, "MUL", "IF")]
)
def test_the_place_inside_is_named(subgraph: int, operator: int, kind: str, inside: str) -> None:
    result = diff(load(DATA / "flow.tflite"), subtracting(subgraph, operator), run=True)
    assert result.run is not None
    fault = result.run.fault
    assert fault is not None
    assert fault.a.name == inside
    rows = text.lines(result, Style(), width=80, everything=False)
    shown = " ".join(" ".join(rows).split())
    told = f"it runs subgraph {subgraph}, where the files differ: operator {operator} {kind}"
    assert told in shown
