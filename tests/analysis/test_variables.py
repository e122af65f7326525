"""Definite initialisation, on graphs built for each question and on real converter output."""

from __future__ import annotations

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from injector import rob

from tflrepair.analysis.variables import Analysis, Variable, analyse
from tflrepair.commands.scan import scan
from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.graph.model import from_bytes, load
from tflrepair.passes.graft.plan import check_graftable
from tflrepair.report.scan_text import render
from tflrepair.report.style import Style

HALF = b"\x00\x00\x80\x3f" * 2


def judged(build: Build) -> Analysis:
    return analyse(from_bytes(build.bytes()))


def status(analysis: Analysis) -> dict[str, str]:
    return {v.name: v.status for v in analysis.variables}


def the(analysis: Analysis) -> Variable:
    (variable,) = analysis.variables
    return variable


def reader(build: Build, name: str = "w", signature: str = "infer") -> Sub:
    sub = build.sub(signature, signature)
    sub.output(sub.read(sub.handle(name)))
    return sub


def initializer(build: Build, name: str = "w") -> Sub:
    sub = build.sub("NoOp")
    sub.assign(sub.handle(name), sub.tensor(data=HALF))
    return sub


def test_nothing_sets_it() -> None:
    build = Build()
    reader(build)
    variable = the(judged(build))
    assert variable.status == "uninitialized"
    assert (variable.dtype, variable.shape, variable.nbytes) == ("float32", (2,), 8)
    assert variable.unset_in == ("infer",)


def test_call_once_first() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(1)
    sub.output(sub.read(sub.handle("w")))
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "initialized"
    assert variable.initial is not None
    assert variable.initial.target == 1


def test_call_once_after_the_read_is_too_late() -> None:
    build = Build()
    sub = reader(build)
    sub.call_once(1)
    initializer(build)
    assert the(judged(build)).status == "partial"


def test_call_once_missing_from_one_entry() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(2)
    sub.output(sub.read(sub.handle("w")))
    reader(build, signature="other")
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "partial"
    assert variable.unset_in == ("other",)


def test_an_initializer_that_nobody_calls_gives_nothing() -> None:
    build = Build()
    reader(build)
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "uninitialized"
    assert len(variable.assigned_by) == 1


def test_order_dependent_names_both() -> None:
    build = Build()
    reader(build)
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.input())
    variable = the(judged(build))
    assert variable.status == "order-dependent"
    assert (variable.unset_in, variable.set_by) == (("infer",), ("load",))


def test_an_order_that_heals_only_part_of_an_entry_heals_nothing() -> None:
    """`infer` reads v and w, `load` sets only w: no order makes `infer` right."""
    build = Build()
    sub = reader(build)
    sub.output(sub.read(sub.handle("v")))
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.input())
    assert status(judged(build)) == {"v": "uninitialized", "w": "uninitialized"}


def test_a_setter_that_reads_garbage_heals_nothing() -> None:
    """`load` sets w from v, which nobody sets."""
    build = Build()
    reader(build)
    setter = build.sub("load", "load")
    setter.assign(setter.handle("w"), setter.read(setter.handle("v")))
    assert status(judged(build)) == {"w": "uninitialized", "v": "uninitialized"}


def test_healing_goes_over_several_entries() -> None:
    """`first` sets v, `second` computes w from v, `infer` reads w."""
    build = Build()
    reader(build)
    second = build.sub("second", "second")
    second.assign(second.handle("w"), second.read(second.handle("v")))
    first = build.sub("first", "first")
    first.assign(first.handle("v"), first.input())
    assert status(judged(build)) == {"w": "order-dependent", "v": "order-dependent"}


def test_set_before_read_in_each_entry_needs_no_initializer() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    handle = sub.handle("w")
    sub.assign(handle, sub.input())
    sub.output(sub.read(handle))
    assert the(judged(build)).status == "initialized"


def test_never_read() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.assign(sub.handle("w"), sub.input())
    sub.handle("nothing at all")
    assert status(judged(build)) == {"w": "unread", "nothing at all": "unread"}


@pytest.mark.parametrize("both", [True, False])
def test_if_counts_only_what_both_branches_set(both: bool) -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.branch(1, 2, [], [])
    sub.output(sub.read(sub.handle("w")))
    for sets in (True, both):
        branch = build.sub("branch")
        if sets:
            branch.assign(branch.handle("w"), branch.tensor(data=HALF))
    assert the(judged(build)).status == ("initialized" if both else "uninitialized")


def test_a_read_in_one_branch_counts() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.branch(1, 2, [], [])
    then = build.sub("then")
    then.read(then.handle("w"))
    build.sub("else")
    variable = the(judged(build))
    assert variable.status == "uninitialized"
    assert variable.read_by[0].subgraph == 1


@pytest.mark.parametrize(("where", "verdict"), [(1, "initialized"), (2, "uninitialized")])
def test_while_runs_its_condition_but_maybe_not_its_body(where: int, verdict: str) -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.loop(1, 2, [], [])
    sub.output(sub.read(sub.handle("w")))
    for index in (1, 2):
        callee = build.sub("callee")
        if index == where:
            callee.assign(callee.handle("w"), callee.tensor(data=HALF))
    assert the(judged(build)).status == verdict


def test_while_body_may_use_what_its_condition_set() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.loop(1, 2, [], [])
    condition = build.sub("condition")
    condition.assign(condition.handle("w"), condition.tensor(data=HALF))
    body = build.sub("body")
    body.read(body.handle("w"))
    assert the(judged(build)).status == "initialized"


@pytest.mark.parametrize("kind", ["call", "branch", "loop"])
def test_handles_passed_into_subgraphs(kind: str) -> None:
    """The callee reads whatever handle it is given: here w once, and v once."""
    build = Build()
    sub = build.sub("infer", "infer")
    handles = [sub.handle("w"), sub.handle("v")]
    sub.assign(handles[1], sub.tensor(data=HALF))
    for handle in handles:
        if kind == "call":
            sub.call(1, [handle])
        elif kind == "branch":
            sub.branch(1, 1, [handle], [])
        else:
            sub.loop(1, 1, [handle], [])
    callee = build.sub("callee")
    callee.read(callee.input("RESOURCE", ()))
    analysis = judged(build)
    assert status(analysis) == {"w": "uninitialized", "v": "initialized"}
    assert not analysis.unresolved


def test_handles_returned_from_subgraphs() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    out = sub.tensor("RESOURCE", ())
    sub.call(1, [], [out])
    sub.output(sub.read(out))
    callee = build.sub("callee")
    callee.output(callee.handle("w"))
    assert status(judged(build)) == {"w": "uninitialized"}


def test_a_handle_from_nowhere_is_said_to_be_unknown() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.input("RESOURCE", ())))
    analysis = judged(build)
    assert not analysis.variables
    assert [(s.subgraph, s.operator) for s in analysis.unresolved] == [(0, 0)]


def test_container_and_name_together_are_the_identity() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.assign(sub.handle("w", "a"), sub.tensor(data=HALF))
    sub.output(sub.read(sub.handle("w", "b")))
    verdicts = {v.key.container: v.status for v in judged(build).variables}
    assert verdicts == {"a": "unread", "b": "uninitialized"}


def test_no_signatures_means_subgraph_0() -> None:
    build = Build()
    sub = build.sub("main")
    sub.output(sub.read(sub.handle("w")))
    other = build.sub("never called")
    other.read(other.handle("v"))
    analysis = judged(build)
    assert [e.subgraph for e in analysis.entries] == [0]
    assert status(analysis) == {"w": "uninitialized", "v": "unread"}


def test_subgraph_0_counts_beside_signatures() -> None:
    """Interpreter::Invoke runs subgraph 0, whether a signature leads there or not."""
    build = Build()
    sub = build.sub("main")
    sub.output(sub.read(sub.handle("w")))
    sub = build.sub("infer", "infer")
    sub.call_once(2)
    sub.output(sub.read(sub.handle("w")))
    initializer(build)
    variable = the(judged(build))
    assert variable.status == "partial"
    assert variable.unset_in == ("subgraph 0",)


def test_conflicting_shapes_under_one_name() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    handle = sub.handle("w")
    sub.read(handle, (2,))
    sub.read(handle, (3,))
    assert the(judged(build)).conflicts == (("float32", (3,)),)


def test_circular_calls() -> None:
    build = Build()
    build.sub("a", "a").call(1)
    build.sub("b").call(0)
    with pytest.raises(BadFileError, match="calls itself"):
        judged(build)


def test_calls_deeper_than_anything_runs() -> None:
    build = Build()
    for index in range(300):
        build.sub(str(index)).call(index + 1)
    build.sub("last")
    with pytest.raises(UnsupportedError, match="nested too deeply"):
        judged(build)


def test_shared_calls_do_not_explode() -> None:
    """Each of 60 subgraphs calls the next one twice: 2**60 paths, 61 summaries."""
    build = Build()
    for index in range(60):
        sub = build.sub(str(index))
        sub.call(index + 1)
        sub.call(index + 1)
    last = build.sub("last")
    last.read(last.handle("w"))
    assert the(judged(build)).status == "uninitialized"


def test_a_call_that_leads_nowhere() -> None:
    build = Build()
    build.sub("infer", "infer").call(7)
    with pytest.raises(BadFileError, match="subgraph 7 does not exist") as caught:
        judged(build)
    assert caught.value.where == "subgraph 0, operator 0 (CALL)"


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_real_healthy_files(data: Path, name: str) -> None:
    analysis = analyse(load(data / f"{name}.tflite"))
    assert {v.status for v in analysis.variables + analysis.tables} == {"initialized"}
    assert all(v.initial for v in analysis.variables)


def test_real_float16_initial_values_go_through_dequantize(data: Path) -> None:
    initial = {v.name: v.initial for v in analyse(load(data / "f16.tflite")).variables}
    assert {name: i.via for name, i in initial.items() if i} == {
        "w": "dequantize",
        "b": "dequantize",
        "momentum": "dequantize",
        "steps": "constant",
    }


def test_real_partial_file_is_judged_by_variable(data: Path) -> None:
    assert status(analyse(load(data / "partial.tflite"))) == {
        "scale": "initialized",
        "sequential/dense/bias": "uninitialized",
        "sequential/dense/kernel": "uninitialized",
    }


def test_real_order_dependent_file(data: Path) -> None:
    assert set(status(analyse(load(data / "order.tflite"))).values()) == {"order-dependent"}


def test_real_flex_variables_are_followed_beside_builtin_ones(data: Path) -> None:
    analysis = analyse(load(data / "half.tflite"))
    found = {v.name: (v.key.kind, v.dtype, v.shape, v.status) for v in analysis.variables}
    assert found == {
        "half": ("flex", "float16", (4,), "initialized"),
        "w": ("builtin", "float32", (4,), "initialized"),
    }


def test_real_flex_variables_without_a_value(data: Path) -> None:
    robbed = from_bytes(rob((data / "half.tflite").read_bytes()))
    assert status(analyse(robbed)) == {"half": "uninitialized", "w": "uninitialized"}
    with pytest.raises(UnsupportedError, match="'half' lives in the Flex delegate"):
        check_graftable(robbed, analyse(robbed))


def test_composites_are_followed() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    options = fb.StableHLOCompositeOptionsT()
    options.name, options.decompositionSubgraphIndex = "some.composite", 1
    sub.op("STABLEHLO_COMPOSITE", [], [], options)
    sub.output(sub.read(sub.handle("w")))
    callee = build.sub("decomposition")
    callee.assign(callee.handle("w"), callee.tensor(data=HALF))
    assert the(judged(build)).status == "initialized"


@pytest.mark.parametrize(("where", "verdict"), [(1, "initialized"), (2, "uninitialized")])
def test_stablehlo_while(where: int, verdict: str) -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    options = fb.StablehloWhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    sub.op("STABLEHLO_WHILE", [], [], options)
    sub.output(sub.read(sub.handle("w")))
    for index in (1, 2):
        callee = build.sub("callee")
        if index == where:
            callee.assign(callee.handle("w"), callee.tensor(data=HALF))
    assert the(judged(build)).status == verdict


@pytest.mark.parametrize("all_set", [True, False])
def test_stablehlo_case(all_set: bool) -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    options = fb.StablehloCaseOptionsT()
    options.branchSubgraphIndices = [1, 2, 3]
    sub.op("STABLEHLO_CASE", [sub.tensor("INT32", ())], [], options)
    sub.output(sub.read(sub.handle("w")))
    for sets in (True, True, all_set):
        branch = build.sub("branch")
        if sets:
            branch.assign(branch.handle("w"), branch.tensor(data=HALF))
    assert the(judged(build)).status == ("initialized" if all_set else "uninitialized")


def test_an_operator_newer_than_the_schema_is_carried_and_shown_by_number() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    value = sub.read(sub.handle("w"))
    sub.op("ADD", [value, value], [sub.tensor()])
    row = build.model.operatorCodes[build.names.index("ADD")]
    row.builtinCode, row.deprecatedBuiltinCode = 999, 127
    model = from_bytes(build.bytes())
    assert [o.name for o in model.subgraphs[0].operators][-1] == "BUILTIN 999"
    assert "BUILTIN 999 1" in render(scan(model), Style())
