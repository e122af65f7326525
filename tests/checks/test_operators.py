"""TFR013 to TFR015 and TFR031: lost handles, and operators that no runtime has or survives."""

from __future__ import annotations

from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

from tflrepair.commands.scan import scan
from tflrepair.findings import Finding
from tflrepair.graph.model import from_bytes


def findings(build: Build) -> list[Finding]:
    return list(scan(from_bytes(build.bytes())).findings)


def looked_up(maker: str) -> Build:
    """A table looked up by a handle that the operator ``maker`` gives."""
    build = Build()
    graph = build.sub("main", "main")
    handle, out = graph.tensor("RESOURCE", ()), graph.tensor("INT64", (1,))
    graph.op(maker, [], [handle])
    keys = graph.input("STRING", (1,))
    graph.op("FlexLookupTableFindV2", [handle, keys, graph.tensor("INT64", ())], [out])
    graph.output(out)
    return build


@pytest.mark.parametrize("maker", ["FlexPlaceholder", "FlexPlaceholderV2", "FlexConst", "MyOp"])
def test_013_a_handle_out_of_a_placeholder(maker: str) -> None:
    found = [row for row in findings(looked_up(maker)) if row.code == "TFR013"]
    assert len(found) == 1
    assert (found[0].location.subgraph, found[0].location.operator) == (0, 1)
    assert maker in found[0].message
    assert found[0].is_problem


@pytest.mark.parametrize("maker", ["FlexHashTableV2", "FlexMutableHashTableV2", "FlexStackV2"])
def test_013_flex_operators_that_make_resources(maker: str) -> None:
    assert "TFR013" not in [row.code for row in findings(looked_up(maker))]


def test_013_a_handle_that_no_operator_makes() -> None:
    build = Build()
    graph = build.sub("main", "main")
    graph.output(graph.read(graph.tensor("RESOURCE", ())))
    found = [row for row in findings(build) if row.code == "TFR013"]
    assert "no operator makes" in found[0].message


def test_013_a_handle_that_is_passed_into_a_branch_is_fine() -> None:
    build = Build()
    main = build.sub("main", "main")
    handle, out = main.handle("v"), main.tensor()
    main.branch(1, 2, [handle], [out])
    main.output(out)
    for name in ("then", "else"):
        graph = build.sub(name)
        graph.output(graph.read(graph.input("RESOURCE", ())))
    assert "TFR013" not in [row.code for row in findings(build)]


@pytest.mark.parametrize(("version", "found"), [(1, []), (0, ["TFR014"]), (99, ["TFR014"])])
def test_014_a_version_that_no_runtime_has(version: int, found: list[str]) -> None:
    build = Build()
    graph = build.sub("main", "main")
    value, out = graph.input(), graph.tensor()
    graph.op("NEG", [value], [out])
    graph.output(out)
    build.model.operatorCodes[0].version = version
    assert [row.code for row in findings(build)] == found


def test_014_an_operator_that_no_runtime_has() -> None:
    build = Build()
    graph = build.sub("main", "main")
    value, out = graph.input(), graph.tensor()
    graph.op("STABLEHLO_TANH", [value], [out])
    graph.output(out)
    found = findings(build)
    assert [row.code for row in found] == ["TFR014"]
    assert found[0].is_problem


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("DISPATCH_OP", ["TFR015"]),
        ("edgetpu-custom-op", ["TFR015"]),
        ("TFLite_Detection_PostProcess", []),
        ("FlexErf", []),
    ],
)
def test_015_custom_operators_are_named(name: str, found: list[str]) -> None:
    build = Build()
    graph = build.sub("main", "main")
    value, out = graph.input(), graph.tensor()
    graph.op(name, [value], [out])
    graph.output(out)
    rows = [row for row in findings(build) if row.code == "TFR015"]
    assert [row.code for row in rows] == found
    assert all(name in row.message and not row.is_problem for row in rows)


TWICE = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "MINIMUM": "MaximumMinimum"}


def combined(kind: str, *, reads: int = 1, dtype: str = "FLOAT32") -> Build:
    """A variable with itself, out of one read or two."""
    build = Build()
    graph = build.sub("main", "main")
    handle, values = graph.handle("v"), []
    for _ in range(reads):
        values.append(graph.tensor(dtype))
        graph.op("READ_VARIABLE", [handle], [values[-1]])
    out = graph.tensor(dtype)
    graph.op(kind, [values[0], values[-1]], [out], getattr(fb, f"{TWICE[kind]}OptionsT")())
    graph.output(out)
    return build


@pytest.mark.parametrize("kind", TWICE)
def test_030_one_read_as_both_inputs(kind: str) -> None:
    found = [row for row in findings(combined(kind)) if row.code == "TFR031"]
    assert len(found) == 1
    assert (found[0].location.subgraph, found[0].location.operator) == (0, 2)
    assert found[0].message.startswith(kind)
    assert not found[0].is_problem


@pytest.mark.parametrize("case", [{"reads": 2}, {"dtype": "INT32"}])
def test_030_what_the_delegate_survives(case: dict[str, Any]) -> None:
    assert "TFR031" not in [row.code for row in findings(combined("ADD", **case))]
