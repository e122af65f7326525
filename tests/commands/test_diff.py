"""diff: operators aligned by what they are, and the operator at fault found by running."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA, made
from contract import hold_item

from tflrepair.commands.diff import diff
from tflrepair.commands.diff.constants import behind
from tflrepair.errors import UnsupportedError, UserError
from tflrepair.format import schema
from tflrepair.format.fields import FIELDS
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.report.diff import data as diff_json
from tflrepair.report.diff import text as diff_text
from tflrepair.report.style import Style
from tflrepair.views.options import options
from tflrepair.views.tensors import SubgraphView

pytestmark = pytest.mark.runs

FILES = sorted(DATA.glob("*.tflite"))


def text(result: Any, width: int = 80) -> list[str]:
    return list(diff_text.lines(result, Style(), width=width, everything=False))


def changed(path: Path, change: Callable[[bytearray, Model], None]) -> Model:
    """A copy with some bytes changed."""
    data = bytearray(path.read_bytes())
    change(data, load(path))
    return from_bytes(bytes(data), None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_equals_itself(path: Path) -> None:
    result = diff(path, path)
    assert result.same
    assert not result.remarks
    assert sum(len(row.pairs) + row.unpacking[0] for row in result.subgraphs) == sum(
        s.operator_count for s in result.a.subgraphs
    )
    hold_item("diff", diff_json.item(result))


RUNNABLE = [p for p in FILES if p.stem not in ("checkpoint", "half", "order", "partial")]


@pytest.mark.parametrize("path", RUNNABLE, ids=lambda path: path.stem)
def test_running_a_model_against_itself(path: Path) -> None:
    result = diff(path, path, run=True)
    assert result.run is not None
    assert result.run.compared
    assert not [gap for gap in result.run.gaps if gap.beyond]


def chain(*kinds: str, factor: float = 2.0) -> Model:
    """x -> kinds one after the other; MUL has a constant."""
    build = Build()
    sub = build.sub("main", "serve")
    x = sub.input(shape=(4,))
    for kind in kinds:
        out = sub.tensor(shape=(4,))
        if kind == "MUL":
            constant = sub.tensor(shape=(4,), data=np.full(4, factor, np.float32).tobytes())
            sub.table.tensors[constant].name = "factor"
            sub.op(kind, [x, constant], [out], fb.MulOptionsT())
        else:
            sub.op(kind, [x], [out])
        x = out
    sub.output(x)
    return from_bytes(build.bytes())


def test_insertion_and_removal_are_shown_as_such() -> None:
    result = diff(chain("MUL", "TANH", "NEG"), chain("MUL", "RELU", "TANH"))
    (row,) = result.subgraphs
    assert [o.name for o in row.removed] == ["NEG"]
    assert [o.name for o in row.inserted] == ["RELU"]
    assert not row.changed
    printed = text(result)
    assert any(line.startswith("  - 2 NEG") for line in printed)
    assert any(line.startswith("  + 1 RELU") for line in printed)


def test_weights_options_and_signatures() -> None:
    a, b = chain("MUL", "TANH"), chain("MUL", "TANH", factor=2.5)
    result = diff(a, b)
    ((change,),) = [c.changes for c in result.subgraphs[0].changed]
    assert (change.name, change.max_abs, change.mean_abs, change.scale) == ("factor", 0.5, 0.5, 2)
    assert not diff(a, b).same
    # signatures are told by key
    names = {c.what for c in diff(chain("NEG"), renamed_signature("NEG")).signatures}
    assert names == {"signature serve", "signature other"}


def renamed_signature(*kinds: str) -> Model:
    model = bytearray(chain(*kinds).data)
    place = model.find(b"serve\0")
    model[place : place + 5] = b"other"
    return from_bytes(bytes(model))


def test_quantization_and_real_numbers() -> None:
    """int8 weights and the floats that they stand for differ in type, not in value."""

    def weights(data: bytes, kind: str, scale: float | None) -> Model:
        build = Build()
        sub = build.sub("main")
        x = sub.input(shape=(2,))
        value = sub.tensor(kind, (2,), data)
        if scale is not None:
            table = fb.QuantizationParametersT()
            table.scale, table.zeroPoint = [scale], [0]
            sub.table.tensors[value].quantization = table
        out = sub.tensor(shape=(2,))
        sub.op("ADD", [x, value], [out], fb.AddOptionsT())
        sub.output(out)
        return from_bytes(build.bytes())

    floats = weights(np.array([0.5, -1], np.float32).tobytes(), "FLOAT32", None)
    result = diff(floats, weights(b"\x01\xfe", "INT8", 0.5))
    ((change,),) = [c.changes for c in result.subgraphs[0].changed]
    assert change.max_abs == 0
    assert (change.a, change.b) == ("float32 [2]", "int8 [2]")
    assert any("the same numbers, stored differently" in line for line in text(result))


def test_scales_of_initial_values_do_not_matter() -> None:
    """A variable holds bytes; `fix --replace` writes them without the scales."""

    def variable(scale: float | None, data: bytes) -> Model:
        build = Build()
        sub = build.sub("main", "serve")
        sub.call_once(1)
        sub.output(sub.read(sub.handle("v")))
        init = build.sub("init")
        value = init.tensor("INT8", (2,), data)
        if scale is not None:
            table = fb.QuantizationParametersT()
            table.scale, table.zeroPoint = [scale], [-128]
            init.table.tensors[value].quantization = table
        init.assign(init.handle("v"), value)
        build.model.subgraphs[0].tensors[-1].type = fb.TensorType.INT8
        return from_bytes(build.bytes())

    assert diff(variable(0.5, b"\x80\x80"), variable(None, b"\x80\x80")).same
    assert not diff(variable(0.5, b"\x80\x80"), variable(None, b"\x80\x81")).same


def negate(name: str, subgraph: int) -> Callable[[bytearray, Model], None]:
    """Flip the sign of all values of the constant behind the first operator of a kind."""

    def change(data: bytearray, model: Model) -> None:
        view = SubgraphView(model, subgraph)
        operator = next(o for o in view.subgraph.operators if o.name == name)
        found = behind(view, operator.inputs[1])
        assert found is not None
        row = model.buffers[found.tensor.buffer]
        step = {"float16": 2, "float32": 4}[found.tensor.dtype]
        for position in range(row.start + step - 1, row.start + row.length, step):
            data[position] ^= 0x80

    return change


@pytest.fixture(scope="module")
def network() -> Model:
    """Six dense layers with random weights, so that a fault in one is known by its place."""
    build = Build()
    sub = build.sub("main", "serve")
    rng = np.random.default_rng(3)
    x = sub.input(shape=(1, 8))
    for _ in range(6):
        weights = sub.tensor(shape=(8, 8), data=rng.normal(0, 1, 64).astype("<f4").tobytes())
        bias = sub.tensor(shape=(8,), data=rng.normal(0, 1, 8).astype("<f4").tobytes())
        out = sub.tensor(shape=(1, 8))
        options = fb.FullyConnectedOptionsT()
        sub.op("FULLY_CONNECTED", [x, weights, bias], [out], options)
        x = out
    sub.output(x)
    return from_bytes(build.bytes())


@pytest.mark.parametrize("layer", range(6))
@pytest.mark.parametrize("kind", ["weights", "bias"])
def test_finds_the_operator_at_fault(network: Model, layer: int, kind: str) -> None:
    data = bytearray(network.data)
    operator = network.subgraph(0).operators[layer]
    tensor = network.subgraph(0).tensor(operator.inputs[1 if kind == "weights" else 2])
    start = network.buffers[tensor.buffer].start
    (value,) = struct.unpack_from("<f", data, start)
    struct.pack_into("<f", data, start, value + 3)
    rng = np.random.default_rng(layer)
    given = {"in0": rng.normal(0, 1, (1, 8)).astype(np.float32)}
    result = diff(network, from_bytes(bytes(data)), run=True, inputs=given)
    assert result.run is not None
    fault = result.run.fault
    assert fault is not None
    assert (fault.a.index, fault.at_fault) == (layer, True)
    assert [c.a.index for c in result.subgraphs[0].changed] == [layer]
    printed = " ".join(text(result))
    assert f"first at fault: operator {layer} FULLY_CONNECTED" in printed
    assert all(len(line) <= 80 for line in text(result))
    hold_item("diff", diff_json.item(result))


@pytest.mark.tf
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("conv_bn", "weights"),
        ("conv_bn", "options"),
        ("depthwise_bn", "weights"),
        ("dense_bn", "weights"),
    ],
)
def test_finds_a_fault_in_a_real_model(name: str, kind: str) -> None:
    path = made("constants") / name / "source.tflite"
    view = SubgraphView(load(path), 0)
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    operator = next(o for o in view.subgraph.operators if o.name in kinds)

    def option(data: bytearray, model: Model) -> None:
        """No activation becomes RELU, or the other way round."""
        table = operator.table.table(schema.Operator.BUILTIN_OPTIONS)
        assert table is not None
        fields = [field for field, *_ in FIELDS[options(model, operator).kind]]
        place = table.at(fields.index("fused_activation_function"))
        assert place
        data[place] = 0 if data[place] else 1

    change = option if kind == "options" else negate(operator.name, 0)
    result = diff(path, changed(path, change), run=True)
    assert result.run is not None
    fault = result.run.fault
    assert fault is not None
    assert fault.a.index == operator.index


def test_variables_without_a_value_cannot_be_compared_by_running() -> None:
    with pytest.raises(UnsupportedError, match="variable != nullptr was not true"):
        diff(DATA / "partial.tflite", DATA / "partial.tflite", run=True)


def test_a_fault_behind_an_inserted_operator() -> None:
    result = diff(chain("MUL", "TANH", "NEG"), chain("MUL", "RELU", "TANH", "NEG", factor=-2.0),
                  run=True)  # fmt: skip
    assert result.run is not None
    fault = result.run.fault
    assert fault is not None
    assert fault.a.name == "MUL"


def test_another_number_of_inputs() -> None:
    build = Build()
    sub = build.sub("main", "serve")
    x, y = sub.input(shape=(4,)), sub.input(shape=(4,))
    out = sub.tensor(shape=(4,))
    sub.op("ADD", [x, y], [out], fb.AddOptionsT())
    sub.output(out)
    two = from_bytes(build.bytes())
    with pytest.raises(UserError, match="takes 1 input in A and 2 in B"):
        diff(chain("NEG"), two, run=True)


def test_the_command(tmp_path: Path, network: Model) -> None:
    one, two = tmp_path / "one.tflite", tmp_path / "two.tflite"
    one.write_bytes(network.data)
    two.write_bytes(chain("MUL").data)

    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line("diff", *arguments, cwd=tmp_path)

    same = cli("one.tflite", "one.tflite", "--run")
    assert same.returncode == 0, same.stderr
    assert "all equal to the bit" in same.stdout
    assert cli("one.tflite", "two.tflite").returncode == 1
    assert cli("one.tflite", "none.tflite").returncode == 2
