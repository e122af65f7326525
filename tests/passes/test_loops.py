"""Weights that a loop reads in each turn: the loop carries none of them when they are frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from build import Sub
from freeze_models import BRANCH, W, X, add, frozen, passed_to_subgraphs
from grafted import compacted, counts, fold, run, same, with_values
from peer import resaved

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.graft.plan import needing_values


def frozen_and_folded(folder: Path) -> tuple[Model, Model, Model]:
    """The graft of a maker's model, the graft frozen, and that folded."""
    broken = (folder / "model.tflite").read_bytes()
    with np.load(folder / "values.npz") as weights:
        values = dict(weights)
    for variable in needing_values(analyse(from_bytes(broken))):
        values.setdefault(variable.name, np.float32(0))  # a state, which no file of weights holds
    grafted = with_values(broken, values)
    _, after = frozen(bytes(grafted.data))
    return grafted, compacted(after), compacted(from_bytes(fold(after)))


def carried(model: Model) -> set[str]:
    """The types of what WHILEs carry."""
    return {
        subgraph.tensor(tensor).dtype
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if operator.name == "WHILE"
        for tensor in operator.inputs
    }


@pytest.mark.tf
@pytest.mark.parametrize("name", ["recurrent", "stateful", "nested"])
def test_answers_stay_and_no_weight_goes_through_a_loop(
    loops: Path, tmp_path: Path, name: str
) -> None:
    grafted, after, folded = frozen_and_folded(loops / name)
    assert "resource" in carried(grafted)
    assert "resource" not in carried(after) | carried(folded)
    states = 1 if name == "stateful" else 0
    reads = [row["READ_VARIABLE"] for row in counts(after)]
    assert sum(reads[1:]) == 0 and reads[0] >= states
    with np.load(loops / name / "io.npz") as rows:
        calls = [("infer", {"x": x}) for x in rows["x"]]
        want = rows["output"]
    for delegate in (False, True):
        before = run(bytes(grafted.data), tmp_path, *calls, delegate=delegate)
        now = run(bytes(after.data), tmp_path, *calls, delegate=delegate)
        assert same(before, now)
        best = run(bytes(folded.data), tmp_path, *calls, delegate=delegate)
        for got in (now, best):
            answers = np.stack([outcome.outputs["output"] for outcome in got])
            np.testing.assert_allclose(answers, want, rtol=1e-5, atol=1e-6)


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("name", ["recurrent", "nested"])
def test_the_graph_is_that_of_a_good_conversion(loops: Path, name: str) -> None:
    *_, folded = frozen_and_folded(loops / name)
    peer = from_bytes(resaved(loops / name, flex=False).read_bytes())
    assert counts(folded) == counts(peer)
    assert [len(s.inputs) for s in folded.subgraphs] == [len(s.inputs) for s in peer.subgraphs]
    assert folded.size <= peer.size


@pytest.mark.runs
def test_a_loop_in_a_loop(tmp_path: Path) -> None:
    build, body = passed_to_subgraphs()
    # the inner loop: subgraphs 6 and 7, called in the body of the outer one with its handle
    condition, inner = build.sub("inner condition"), build.sub("inner body")
    for sub in (condition, inner):
        sub.input("BOOL", ()), sub.input(), sub.input("RESOURCE", ())
    condition.output(0)
    no = inner.tensor("BOOL", (), b"\0")
    for tensor in (no, add(inner, 1, inner.read(2)), 2):
        inner.output(tensor)
    yes = body.tensor("BOOL", (), b"\1")
    outs = [body.tensor("BOOL", ()), body.tensor(), body.tensor("RESOURCE", ())]
    body.loop(6, 7, [yes, int(body.table.outputs[1]), 2], outs)
    body.table.outputs = [body.table.outputs[0], outs[1], outs[2]]
    old = build.bytes()
    after = compacted(frozen(old)[1])
    assert "resource" not in carried(after)
    assert [len(s.inputs) for s in after.subgraphs] == [2, 1, 1, 2, 2, 2, 2]
    before = run(old, tmp_path, ("infer", BRANCH))
    assert before[0].outputs["out0"].tolist() == (X + 7 * W).tolist()
    assert same(before, run(bytes(after.data), tmp_path, ("infer", BRANCH)))


@pytest.mark.runs
def test_a_body_that_two_loops_share_keeps_its_inputs(tmp_path: Path) -> None:
    build, _ = passed_to_subgraphs()
    main = Sub(build, "main")
    main.table = build.model.subgraphs[0]
    zero = main.tensor("INT32", (), np.int32(0).tobytes())
    y, handle = int(main.table.outputs[0]), main.handle("w")
    outs = [main.tensor("INT32", ()), main.tensor(), main.tensor("RESOURCE", ())]
    main.loop(3, 4, [zero, y, handle], outs)
    main.output(outs[1])
    old = build.bytes()
    after = compacted(frozen(old)[1])
    assert [len(after.subgraph(n).inputs) for n in (1, 2, 3, 4)] == [1, 1, 3, 3]
    assert counts(after)[4]["READ_VARIABLE"] == 0
    before = run(old, tmp_path, ("infer", BRANCH))
    assert same(before, run(bytes(after.data), tmp_path, ("infer", BRANCH)))


@pytest.mark.runs
def test_a_handle_that_is_read_somewhere_stays(tmp_path: Path) -> None:
    """A variable that is trained stays in the loop that reads it."""
    build, body = passed_to_subgraphs()
    train = build.sub("train", "train")
    train.call_once(5)
    handle = train.handle("w")
    new = add(train, train.input(), train.read(handle))
    train.assign(handle, new)
    train.output(new)
    old = build.bytes()
    result, after = frozen(old)
    assert result.plan.frozen == () and body.table.inputs == [0, 1, 2]
    after = compacted(after)
    assert len(after.subgraph(4).inputs) == 3
    calls = [("infer", BRANCH), ("train", {"in0": X}), ("infer", BRANCH)]
    assert same(run(old, tmp_path, *calls), run(bytes(after.data), tmp_path, *calls))
