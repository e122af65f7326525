"""show: what is in a model, readable at 80 columns and at 10,000 operators."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm
from build import Build
from conftest import DATA
from contract import hold_item

from tflrepair.analysis.variables import analyse
from tflrepair.commands.show import show
from tflrepair.errors import UserError
from tflrepair.graph.model import from_bytes
from tflrepair.report.show import data as show_json
from tflrepair.report.show import text as show_text
from tflrepair.report.style import Style

FILES = sorted(DATA.glob("*.tflite"))


def text(shown: Any, *, everything: bool = False, values: bool = False, width: int = 80) -> str:
    return show_text.render(shown, Style(), width=width, everything=everything, values=values)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("everything", [False, True])
def test_real_models_fit_80_columns(path: Path, everything: bool) -> None:
    shown = text(show(path), everything=everything)
    lines = shown.splitlines()[1:]  # the first is the path
    assert max(map(len, lines)) <= 80
    for word in ("Signatures", "Subgraphs", "Operators", "Size"):
        assert f"\n{word}  " in shown


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_json_follows_its_schema(path: Path) -> None:
    shown = show(path)
    found = hold_item("show", show_json.item(shown, values=True))
    assert len(found["operators"]) == sum(s.operator_count for s in shown.model.subgraphs)
    assert len(found["tensors"]) == sum(s.tensor_count for s in shown.model.subgraphs)


def test_a_variable_by_name_with_its_values() -> None:
    shown = show(DATA / "healthy.tflite", tensor="w")
    (variable,) = shown.variables or ()
    assert variable.initial is not None
    data = shown.model.buffer_bytes(variable.initial.buffer)
    wanted = np.frombuffer(data, np.float32).reshape(variable.shape or ())
    found = show_json.item(shown, values=True)["tensors"]
    assert [row["values"] for row in found if "values" in row] == [wanted.tolist()]
    printed = text(shown, values=True)
    assert "variable w" in printed
    numbers = re.findall(r"-?\d+\.\d+(?:e-?\d+)?", printed.split("sha256")[1])
    assert np.allclose([float(n) for n in numbers], wanted.ravel(), atol=1e-6)


def test_a_kind_of_operator() -> None:
    shown = show(DATA / "f16.tflite", op="fully_connected")
    assert {o.name for o in shown.operators or ()} == {"FULLY_CONNECTED"}
    printed = text(shown)
    assert "FullyConnectedOptions: fused_activation_function" in printed
    assert "weights_format DEFAULT" in printed


def test_around_an_operator() -> None:
    shown = show(DATA / "healthy.tflite", subgraph=1, around=4)
    assert [o.index for o in shown.operators or ()] == [1, 2, 3, 4, 5, 6, 7]
    assert "> 4 " in text(shown)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"op": "CONVE"}, "there is no operator 'CONVE'"),
        ({"tensor": "nothing like it"}, "no tensor or variable is called"),
        ({"tensor": "#9999"}, "has no tensor #9999"),
        ({"around": 999}, "has no operator 999"),
        ({"subgraph": 77}, "there is no subgraph 77"),
        ({"signature": "nope"}, "the model has no signature 'nope'"),
    ],
)
def test_what_is_not_there(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        show(DATA / "healthy.tflite", **asked)
    assert caught.value.hint


def test_parameters_count_each_weight_once() -> None:
    shown = show(DATA / "healthy.tflite")
    constants, variables = shown.parameters
    total = sum(int(np.prod(v.shape or ())) for v in analyse(shown.model).variables)
    assert variables == total
    initial = sum(1 for v in analyse(shown.model).variables if v.initial)
    assert initial
    assert constants < sum(shown.sizes.parameters.values())


def test_control_characters_of_names_are_escaped() -> None:
    build = Build()
    sub = build.sub("\x1b[2Jmain", "sig\x1b[31m")
    x = sub.input()
    out = sub.tensor()
    sub.table.tensors[out].name = "a\nb\x1b]0;title\x07\u202e"
    sub.op("My\x1bOp", [x], [out])
    sub.output(out)
    model = from_bytes(build.bytes())
    for asked in ({}, {"op": "*"}, {"tensor": "#1"}, {"around": 0}):
        printed = text(show(model, **asked), everything=True, values=True)
        assert all(c == "\n" or (c.isprintable() and c != "\u202e") for c in printed)
        assert "\\x1b" in printed


@pytest.fixture(scope="module")
def large() -> Any:
    """10,000 operators in one subgraph, as a converter names them."""
    build = Build()
    sub = build.sub("main", "serve")
    x = sub.input(shape=(1, 4))
    weight = sub.tensor(shape=(4,), data=np.ones(4, np.float32).tobytes())
    kinds = ("ADD", "MUL", "SUB", "MAXIMUM", "MINIMUM")
    for number in range(10_000):
        out = sub.tensor(shape=(1, 4))
        sub.table.tensors[out].name = f"model/block_{number // 10}/layer_{number % 10}/op;" * 3
        sub.op(kinds[number % 5], [x, weight], [out])
        x = out
    sub.output(x)
    return from_bytes(build.bytes())


def test_10000_operators_in_one_screen(large: Any) -> None:
    printed = text(show(large)).splitlines()
    assert len(printed) < 60
    assert any("10,000 of 5 kinds" in line for line in printed)
    assert max(map(len, printed)) <= 80


def test_10000_operators_one_line_each(large: Any) -> None:
    printed = text(show(large), everything=True).splitlines()
    rows = [line for line in printed if re.match(r" +\d+ [A-Z]+ ", line)]
    assert len([row for row in rows if "float32" in row]) >= 10_000
    assert max(map(len, printed)) <= 80
    assert len(text(show(large, op="ADD")).splitlines()) < 250


@pytest.mark.runs
def test_the_command(tmp_path: Path) -> None:
    command = ["show", str(DATA / "f16.tflite")]
    done = warm.command_line(*command, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PTQ_FLOAT16" in done.stdout
    done = warm.command_line(*command, "--op", "X")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
