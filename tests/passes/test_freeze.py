"""Freezing: what changes, what does not, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from grafted import bytes_of, counts, freeze, run, same, with_values
from injector import initial_values, rob

from tflrepair.analysis.context import AnalysisContext
from tflrepair.commands.scan import scan
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.freeze.freeze import Frozen, check_frozen

X = np.array([3.0, -5.0], np.float32)
W = np.array([0.5, 7.0], np.float32)
B = np.array([11.0, 13.0], np.float32)


def add(sub: Sub, a: int, b: int) -> int:
    out = sub.tensor()
    sub.op("ADD", [a, b], [out], fb.AddOptionsT())
    return out


def initializer(build: Build, **values: np.ndarray[Any, Any]) -> int:
    init = build.sub("init")
    for name, value in values.items():
        constant = init.tensor(shape=value.shape, data=value.tobytes())
        init.assign(init.handle(name), constant)
    return len(build.model.subgraphs) - 1


BRANCH = {"in0": X, "in1": np.array([True])}


def infer_and_train() -> Build:
    """``infer`` gives x + w + b, ``train`` assigns w."""
    build = Build()
    infer, train = build.sub("infer", "infer"), build.sub("train", "train")
    target = initializer(build, w=W, b=B)
    infer.call_once(target)
    x = infer.input()
    y = add(infer, x, infer.read(infer.handle("w")))
    infer.output(add(infer, y, infer.read(infer.handle("b"))))
    train.call_once(target)
    x = train.input()
    handle = train.handle("w")
    new = add(train, train.read(handle), add(train, x, train.read(train.handle("b"))))
    train.assign(handle, new)
    train.output(new)
    return build


def frozen(data: bytes) -> tuple[Frozen, Model]:
    """A freeze whose postcondition held and that a second freeze leaves alone."""
    result = freeze(from_bytes(data))
    after = from_bytes(bytes_of(result))
    assert after.size == result.size
    check_frozen(result, AnalysisContext(after))
    again = freeze(after)
    assert not again.plan.changes and bytes_of(again) == bytes_of(result)
    return result, after


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


def passed_to_subgraphs() -> tuple[Build, Sub]:
    """w read in both branches of an IF and in the body of a WHILE that runs three times."""
    build = Build()
    main = build.sub("main", "infer")
    for name in ("then", "else"):
        branch = build.sub(name)
        handle, x = branch.input("RESOURCE", ()), branch.input()
        branch.output(add(branch, x, branch.read(handle)))
    condition, body = build.sub("condition"), build.sub("body")
    for sub in (condition, body):
        for kind, shape in (("INT32", ()), ("FLOAT32", (2,)), ("RESOURCE", ())):
            sub.input(kind, shape)
    less = condition.tensor("BOOL", ())
    three = condition.tensor("INT32", (), np.int32(3).tobytes())
    condition.op("LESS", [0, three], [less])
    condition.output(less)
    one = body.tensor("INT32", (), np.int32(1).tobytes())
    count = body.tensor("INT32", ())
    body.op("ADD", [0, one], [count], fb.AddOptionsT())
    for tensor in (count, add(body, 1, body.read(2)), 2):
        body.output(tensor)
    main.call_once(initializer(build, w=W))
    x, handle = main.input(), main.handle("w")
    y = main.tensor()
    options = fb.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
    main.op("IF", [main.input("BOOL", (1,)), handle, x], [y], options)
    zero = main.tensor("INT32", (), np.int32(0).tobytes())
    outs = [main.tensor("INT32", ()), main.tensor(), main.tensor("RESOURCE", ())]
    main.loop(3, 4, [zero, y, handle], outs)
    main.output(outs[1])
    return build, body


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


def test_an_assignment_behind_a_passed_handle_counts() -> None:
    build, body = passed_to_subgraphs()
    body.assign(2, 1)
    model = from_bytes(build.bytes())
    result = freeze(model)
    assert result.plan.kept == (("w", "subgraph 4 assigns it"),)
    assert bytes_of(result) == bytes(model.data)


def test_a_handle_that_we_lose_sight_of_is_not_frozen() -> None:
    build = infer_and_train()
    spy = build.sub("spy", "spy")
    spy.call_once(2)
    out = spy.tensor()
    spy.op("Spy", [spy.handle("b")], [out])
    spy.output(out)
    result = freeze(from_bytes(build.bytes()))
    assert dict(result.plan.kept)["b"] == "Spy takes its handle"
    assert not result.plan.changes


def test_a_read_that_serves_two_variables_is_not_frozen() -> None:
    build = Build()
    main, body = build.sub("main", "infer"), build.sub("body")
    body.output(body.read(body.input("RESOURCE", ())))
    main.call_once(initializer(build, w=W, b=B))
    outs = [main.tensor(), main.tensor()]
    for name, out in zip("wb", outs, strict=True):
        main.call(1, [main.handle(name)], [out])
    main.output(add(main, *outs))
    result = freeze(from_bytes(build.bytes()))
    assert {reason for _, reason in result.plan.kept} == {
        "a READ_VARIABLE serves several variables"
    }


def test_a_loop_that_swaps_handles_freezes_neither() -> None:
    build = Build()
    main, condition, body = build.sub("main", "infer"), build.sub("condition"), build.sub("body")
    for sub in (condition, body):
        for kind, shape in (("BOOL", ()), ("RESOURCE", ()), ("RESOURCE", ()), ("FLOAT32", (2,))):
            sub.input(kind, shape)
    condition.output(0)
    read = body.read(1)
    body.assign(2, read)
    for tensor in (0, 2, 1, read):
        body.output(tensor)
    main.call_once(initializer(build, w=W, b=B))
    flag = main.tensor("BOOL", (), b"\0")
    w, b, x = main.handle("w"), main.handle("b"), main.input()
    outs = [main.tensor("BOOL", ()), *(main.tensor("RESOURCE", ()) for _ in "wb"), main.tensor()]
    main.loop(1, 2, [flag, w, b, x], outs)
    main.output(outs[3])
    assert not freeze(from_bytes(build.bytes())).plan.frozen


def test_an_assignment_to_who_knows_what_freezes_nothing() -> None:
    build = infer_and_train()
    other = build.sub("other", "other")
    other.assign(other.input("RESOURCE", ()), other.tensor(data=W.tobytes()))
    result = freeze(from_bytes(build.bytes()))
    assert not result.plan.changes
    assert {r for _, r in result.plan.kept} == {"subgraph 3 assigns a variable that we cannot tell"}


def test_two_initializers_freeze_nothing() -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    for value in (W, B):
        infer.call_once(initializer(build, w=value))
    infer.output(infer.read(infer.handle("w")))
    result = freeze(from_bytes(build.bytes()))
    assert result.plan.kept == (("w", "more than one initializer assigns it"),)


def test_a_computed_initial_value_stays() -> None:
    build = Build()
    infer, init = build.sub("infer", "infer"), build.sub("init")
    infer.call_once(1)
    infer.output(infer.read(infer.handle("w")))
    half = init.tensor("FLOAT16", (2,), W.astype(np.float16).tobytes())
    wide = init.tensor()
    init.op("DEQUANTIZE", [half], [wide])
    init.assign(init.handle("w"), wide)
    result = freeze(from_bytes(build.bytes()))
    assert result.plan.kept == (("w", "its initial value is computed"),)


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


def test_a_model_without_values_is_refused() -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.output(infer.read(infer.handle("w")))
    with pytest.raises(RefusedError, match="w is missing"):
        freeze(from_bytes(build.bytes()))


def test_metadata_that_counts_operators_is_refused() -> None:
    build = infer_and_train()
    row = fb.MetadataT()
    row.name, row.buffer = "model_control_dependencies", len(build.model.buffers)
    buffer = fb.BufferT()
    buffer.data = [1, 2, 3]
    build.model.buffers.append(buffer)
    build.model.metadata = [row]
    with pytest.raises(UnsupportedError, match="counts operators"):
        freeze(from_bytes(build.bytes()))


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


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_where_everything_is_assigned_the_bytes_stay(data: Path, name: str) -> None:
    old = (data / f"{name}.tflite").read_bytes()
    result = freeze(from_bytes(old))
    assert not result.plan.changes and result.plan.kept
    assert bytes_of(result) == old


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


def test_damage_is_told_and_nothing_else() -> None:
    """Whatever bytes are wrong, freezing gives a model, or one of our errors."""
    old = passed_to_subgraphs()[0].bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(600):
        broken = bytearray(old)
        for place in rng.integers(0, len(old), 3):
            broken[place] = rng.integers(0, 256)
        try:
            bytes_of(freeze(from_bytes(bytes(broken))))
        except TflRepairError:
            refused += 1
    assert refused > 100
