"""diff --run: a fault in a loop or branch, told at the operator that runs it, and refused runs."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest
import warm
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA

from tflrepair.commands.diff import diff
from tflrepair.errors import UnsupportedError
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


def test_files_that_cannot_be_run_are_compared_all_the_same() -> None:
    partial = str(DATA / "partial.tflite")
    done = warm.command_line("diff", "--run", partial, partial)
    assert done.returncode == 2
    assert "No difference that changes an answer." in done.stdout
    assert "variable != nullptr was not true" in done.stderr


def test_a_made_up_size_that_does_not_fit() -> None:
    build = Build()
    sub = build.sub("main", "main")
    x, to, out = (
        sub.input(),
        sub.tensor("INT32", (2,), np.array([2, 2], np.int32).tobytes()),
        sub.tensor(),
    )
    sub.table.tensors[x].shape, sub.table.tensors[x].shapeSignature = [1], [-1]
    sub.op("RESHAPE", [x, to], [out], fb.ReshapeOptionsT())
    sub.output(out)
    model = from_bytes(build.bytes())
    with pytest.raises(UnsupportedError, match=r"made-up input are 1; give --inputs"):
        diff(model, model, run=True)


def test_an_open_dimension_is_shown_as_in_show() -> None:
    build = Build()
    sub = build.sub("main", "serve")
    x, out = sub.input(shape=(1, 4)), sub.tensor(shape=(1, 4))
    sub.op("TANH", [x], [out])
    sub.output(out)
    fixed = from_bytes(build.bytes())
    sub.table.tensors[out].shapeSignature = [-1, 4]
    result = diff(fixed, from_bytes(build.bytes()))
    ((change,),) = [c.changes for c in result.subgraphs[0].changed]
    assert (change.a, change.b) == ("float32 [1, 4]", "float32 [?, 4]")
