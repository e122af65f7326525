"""Resources through subgraphs that call each other."""

from __future__ import annotations

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from resource_models import HALF, judged, status, the

from tflrepair.errors import BadFileError, UnsupportedError


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
