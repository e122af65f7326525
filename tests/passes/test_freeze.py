"""Freezing: what changes, what does not, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from freeze_models import (
    BRANCH,
    B,
    W,
    X,
    add,
    frozen,
    infer_and_train,
    initializer,
    passed_to_subgraphs,
)
from grafted import bytes_of, counts, freeze, run, same, with_values
from injector import initial_values, rob

from tflrepair.commands.scan import scan
from tflrepair.graph.model import from_bytes


@pytest.mark.runs
def test_what_is_never_assigned_becomes_a_constant(tmp_path: Path) -> None:
    old = infer_and_train().bytes()
    result, after = frozen(old)
    assert result.plan.frozen == ("b",)
    assert result.plan.kept == (("w", "signature `train` assigns it"),)
    assert counts(after)[0] == {"CALL_ONCE": 1, "VAR_HANDLE": 1, "READ_VARIABLE": 1, "ADD": 2}
    assert counts(after)[2] == {"VAR_HANDLE": 1, "ASSIGN_VARIABLE": 1}
    assert old in bytes(after.data)
    assert scan(after).ok
    calls = [("infer", {"in0": X}), ("train", {"in0": X}), ("infer", {"in0": X})]
    assert same(run(old, tmp_path, *calls), run(bytes_of(result), tmp_path, *calls))


@pytest.mark.runs
def test_an_empty_initializer_is_called_no_more(tmp_path: Path) -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.call_once(initializer(build, w=W, unread=B))
    infer.output(add(infer, infer.input(), infer.read(infer.handle("w"))))
    old = build.bytes()
    result, after = frozen(old)
    assert result.plan.frozen == ("w", "unread") and not result.plan.kept
    assert counts(after) == [{"ADD": 1}, {}]
    assert scan(after).ok and not scan(after).analysis.variables
    assert same(
        run(old, tmp_path, ("infer", {"in0": X})),
        run(bytes_of(result), tmp_path, ("infer", {"in0": X})),
    )


@pytest.mark.runs
@pytest.mark.parametrize("delegate", [True, False])
def test_an_output_that_is_just_a_variable(tmp_path: Path, delegate: bool) -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.call_once(initializer(build, w=W))
    read = infer.read(infer.handle("w"))
    infer.output(read)
    infer.output(add(infer, infer.input(), read))
    infer.output(read)
    _, after = frozen(build.bytes())
    (got,) = run(bytes(after.data), tmp_path, ("infer", {"in0": X}), delegate=delegate)
    assert got.outputs["out0"].tolist() == got.outputs["out2"].tolist() == W.tolist()
    assert got.outputs["out1"].tolist() == (X + W).tolist()


@pytest.mark.runs
def test_reads_behind_passed_handles_freeze_too(tmp_path: Path) -> None:
    old = passed_to_subgraphs()[0].bytes()
    result, after = frozen(old)
    assert result.plan.frozen == ("w",)
    assert not any(row["READ_VARIABLE"] for row in counts(after))
    assert counts(after)[0]["VAR_HANDLE"] == 1  # IF and WHILE still take the handle
    assert scan(after).ok
    before = run(old, tmp_path, ("infer", BRANCH))
    assert before[0].outputs["out0"].tolist() == (X + 4 * W).tolist()
    assert same(before, run(bytes_of(result), tmp_path, ("infer", BRANCH)))


@pytest.mark.runs
def test_a_read_of_another_shape_stays_and_an_open_one_is_closed(tmp_path: Path) -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.call_once(initializer(build, w=W, b=B))
    open_read = infer.read(infer.handle("w"), shape=())
    infer.table.tensors[open_read].hasRank = False
    infer.output(add(infer, infer.input(), open_read))
    infer.output(infer.read(infer.handle("b"), shape=(1, 2)))
    result, after = frozen(build.bytes())
    assert result.plan.frozen == ("w",)
    assert result.plan.kept == (("b", "signature `infer` reads it as another type or shape"),)
    assert after.subgraph(0).tensor(open_read).shape == (2,)
    (got,) = run(bytes_of(result), tmp_path, ("infer", {"in0": X}))
    assert got.outputs["out0"].tolist() == (X + W).tolist()


@pytest.mark.runs
def test_values_behind_the_flatbuffer_and_a_zip_move_along(tmp_path: Path) -> None:
    build = infer_and_train()
    build.bytes()  # completes the signatures
    constants = [t.buffer for t in build.model.subgraphs[2].tensors if t.shape == [2]]

    def packed(start: int) -> bytes:
        for place, index in enumerate(constants):
            build.model.buffers[index] = fb.BufferT()
            build.model.buffers[index].offset = start + 8 * place
            build.model.buffers[index].size = 8
        builder = flatbuffers.Builder(1024)
        builder.Finish(build.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    old = packed(len(packed(1 << 20))) + W.tobytes() + B.tobytes()
    archive = io.BytesIO(old)
    archive.seek(0, 2)
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr("labels.txt", "cat\ndog\n")
    old = archive.getvalue()
    result, after = frozen(old)
    assert result.plan.frozen == ("b",)
    with zipfile.ZipFile(io.BytesIO(bytes_of(result))) as stream:
        assert stream.read("labels.txt") == b"cat\ndog\n" and stream.testzip() is None
    calls = [("infer", {"in0": X}), ("train", {"in0": X}), ("infer", {"in0": X})]
    outcomes = run(bytes_of(result), tmp_path, *calls)
    assert outcomes[0].outputs["out0"].tolist() == (X + W + B).tolist()
    assert same(run(old, tmp_path, *calls), outcomes)
    assert after.buffers[constants[0]].outside


@pytest.mark.parametrize("name", ["healthy", "flow"])
def test_a_robbed_and_grafted_model_freezes_alike(data: Path, tmp_path: Path, name: str) -> None:
    healthy = (data / f"{name}.tflite").read_bytes()
    initial_values(healthy, tmp_path / "values.npz")
    with np.load(tmp_path / "values.npz") as values:
        grafted = with_values(rob(healthy), values)
    mine, theirs = freeze(grafted).plan, freeze(from_bytes(healthy)).plan
    assert not mine.changes and sorted(mine.kept) == sorted(theirs.kept)


@pytest.mark.tf
def test_the_small_model_trains_as_before(small: Path, tmp_path: Path) -> None:
    with np.load(small / "values.npz") as values:
        grafted = with_values((small / "model.tflite").read_bytes(), values)
    result, _ = frozen(bytes(grafted.data))
    assert result.plan.frozen == ("adam/learning_rate",)
    with np.load(small / "training.npz") as rows:
        train = [("train", {"x": rows["x"], "y": rows["y"]})] * 10
        infer = [("infer", {"x": rows["x"][:1]})]
        wanted = rows["loss"]
    before = run(bytes(grafted.data), tmp_path, *train, *infer)
    after = run(bytes_of(result), tmp_path, *train, *infer)
    assert same(before, after)
    losses = [float(outcome.outputs["loss"]) for outcome in after[:10]]
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)


@pytest.mark.tf
def test_the_reported_model_answers_as_before(reported: Path, tmp_path: Path) -> None:
    with np.load(reported / "values.npz") as values:
        grafted = with_values((reported / "model.tflite").read_bytes(), values)
    result, after = frozen(bytes(grafted.data))
    assert len(result.plan.frozen) == 261 and len(result.plan.kept) == 21
    assert after.size < grafted.size + 100_000
    with np.load(reported / "io.npz") as rows:
        x, want = rows["x"][:1], rows["output"][:1]
    (before,) = run(bytes(grafted.data), tmp_path, ("infer", {"x": x}))
    (now,) = run(bytes_of(result), tmp_path, ("infer", {"x": x}))
    np.testing.assert_allclose(now.outputs["output"], before.outputs["output"], atol=1e-5)
    np.testing.assert_allclose(now.outputs["output"], want, atol=1e-5)
