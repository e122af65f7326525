"""TFR017 and TFR027 to TFR030: each finds what it is for, and nothing in a twin without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA, made
from test_later_checks import checkpoint

from tflrepair.commands.scan import scan
from tflrepair.findings import Finding
from tflrepair.graph.model import from_bytes

ONE = b"\0\0\x80\x3f" * 2


def found(build: Build | bytes, code: str) -> list[Finding]:
    data = build if isinstance(build, bytes) else build.bytes()
    return list(scan(from_bytes(data), select=[code]).findings)


def initializer(ports: bool) -> Build:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(1)
    sub.output(sub.read(sub.handle("w")))
    init = build.sub("NoOp")
    value = init.tensor(data=ONE)
    init.assign(init.handle("w"), value)
    if ports:
        init.output(value)
    return build


def test_017_initializer_with_outputs() -> None:
    (row,) = found(initializer(True), "TFR017")
    assert "0 inputs and 1 output;" in row.message
    assert (row.location.subgraph, row.location.operator) == (0, 0)
    assert not found(initializer(False), "TFR017")


@pytest.mark.runs
@pytest.mark.parametrize(("ports", "message"), [(True, "call_once.cc"), (False, "")])
def test_017_says_what_the_runtime_does(ports: bool, message: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=initializer(ports).bytes())
    if not message:
        interpreter.allocate_tensors()
        return
    with pytest.raises(RuntimeError, match=message):
        interpreter.allocate_tensors()


def test_027_one_tensor_as_two_outputs() -> None:
    """`return {"logits": y, "scores": tf.identity(y)}`, converted: one tensor for both."""
    (row,) = scan(DATA / "twice.tflite", select=["TFR027"]).findings
    told = "`infer` gives one tensor, 'PartitionedCall:0', as 2 outputs: 'logits', 'scores'"
    assert row.message == told
    assert scan(DATA / "healthy.tflite", select=["TFR027"]).findings == ()


def two_outputs(names: tuple[str, str], signature: str | None) -> Build:
    build = Build()
    sub = build.sub("main", signature)
    x = sub.input()
    for name in names:
        out = sub.tensor()
        sub.op("NEG", [x], [out], fb.NegOptionsT())
        sub.table.tensors[out].name = name
        sub.output(out)
    return build


@pytest.mark.parametrize("signature", ["infer", None])
def test_027_two_tensors_of_one_name(signature: str | None) -> None:
    (row,) = found(two_outputs(("y", "y"), signature), "TFR027")
    assert "'y'" in row.message
    assert not found(two_outputs(("y", "z"), signature), "TFR027")


def without_call_once(path: Path) -> bytes:
    model: Any = fb.ModelT.InitFromObj(fb.Model.GetRootAs(path.read_bytes()))
    codes = [row.builtinCode for row in model.operatorCodes]
    for graph in model.subgraphs:
        graph.operators = [
            o for o in graph.operators if codes[o.opcodeIndex] != fb.BuiltinOperator.CALL_ONCE
        ]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_028_flex_variable_of_a_converted_model_that_lost_its_initializer() -> None:
    assert scan(DATA / "half.tflite", select=["TFR028"]).findings == ()
    (row,) = found(without_call_once(DATA / "half.tflite"), "TFR028")
    assert row.message == "`infer` reads Flex variables that have no value: 'half'"
    assert row.location.variable == "half"


def looked_up(filled: bool) -> Build:
    build = Build()
    sub = build.sub("main", "main")
    handle, out = sub.tensor("RESOURCE", ()), sub.tensor("INT64", (1,))
    sub.op("FlexHashTableV2", [], [handle])
    keys, value = sub.input("STRING", (1,)), sub.tensor("INT64", ())
    if filled:
        sub.op("FlexLookupTableImportV2", [handle, keys, value], [])
    sub.op("FlexLookupTableFindV2", [handle, keys, value], [out])
    sub.output(out)
    return build


def test_028_flex_table() -> None:
    (row,) = found(looked_up(False), "TFR028")
    assert "nothing in the file fills it" in row.message
    assert row.location.operator == 1
    assert not found(looked_up(True), "TFR028")


def stateful(*, trains: bool, saves: bool = True) -> Build:
    """`infer` reads `w`, which `restore` sets; ``trains``: a signature sets it from an input."""
    build = Build()
    infer = build.sub("infer", "infer")
    infer.output(infer.read(infer.handle("w")))
    if saves:
        checkpoint(build.sub("save", "save"), "save", ["w"])
    checkpoint(build.sub("restore", "restore"), "restore", ["w"])
    if trains:
        sub = build.sub("start", "start")
        sub.assign(sub.handle("w"), sub.input())
    return build


def test_029_nothing_can_write_the_first_checkpoint() -> None:
    (row,) = found(stateful(trains=False), "TFR029")
    assert "`save` reads it unset" in row.message
    assert row.location.variable == "w"
    assert not found(stateful(trains=True), "TFR029")
    assert not found(stateful(trains=False, saves=False), "TFR029")  # shipped with the application


def test_029_on_a_converted_model() -> None:
    (row,) = scan(DATA / "checkpoint.tflite", select=["TFR029"]).findings
    assert "'sequential" in row.message
    assert row.location.signature == "save"
    assert scan(DATA / "order.tflite", select=["TFR029"]).findings == ()


@pytest.mark.tf
def test_029_on_converted_models() -> None:
    """The reported model has TFR001: no order helps, so that is what must be told."""
    assert scan(made("reported") / "model.tflite", select=["TFR029"]).findings == ()


def dated(text: str, version: int = 5) -> Build:
    build = Build()
    sub = build.sub("main", "main")
    x, out = sub.input(), sub.tensor()
    sub.op("ADD", [x, x], [out], fb.AddOptionsT())
    sub.output(out)
    build.model.operatorCodes[0].version = version
    entry, buffer = fb.MetadataT(), fb.BufferT()
    entry.name, entry.buffer = "min_runtime_version", len(build.model.buffers)
    buffer.data = list(text.encode().ljust(16, b"\0"))
    build.model.buffers.append(buffer)
    build.model.metadata = [entry]
    return build


def test_030_operator_newer_than_the_stated_runtime() -> None:
    (row,) = found(dated("1.14.0"), "TFR030")
    assert row.message == "min_runtime_version says 1.14.0, but 'ADD 5' needs 2.13.0"
    assert not found(dated("2.13.0"), "TFR030")
    assert not found(dated("1.14.0", version=2), "TFR030")
    assert not found(dated(""), "TFR030")
    assert not found(dated("new"), "TFR030")


def test_030_converted_models_state_enough() -> None:
    for path in sorted(DATA.glob("*.tflite")):
        assert scan(path, select=["TFR030"]).findings == (), path.name


@pytest.mark.runs
def test_009_says_what_the_runtime_does() -> None:
    """The converted table model without its CALL_ONCE."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    data = without_call_once(DATA / "table.tflite")
    (row,) = found(data, "TFR009")
    assert "is looked up before anything fills it" in row.message
    runner = Interpreter(model_content=data).get_signature_runner("infer")
    with pytest.raises(RuntimeError, match="hashtable need to be initialized"):
        runner(x=np.array([1, 2]))
