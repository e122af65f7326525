"""Compacting: what goes, what stays, and float16 values on the way to it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from folding_models import metadata, packed
from freeze_models import B, W, X, add, frozen, infer_and_train, initializer
from grafted import compacted, counts, fold, run, run_pass, same, with_values

import tflrepair
from tflrepair.analysis.context import AnalysisContext
from tflrepair.commands.extract.part import extract_part
from tflrepair.commands.scan import scan
from tflrepair.errors import RefusedError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.compact.compact import CompactPass, check_compacted
from tflrepair.passes.compact.needed import needed
from tflrepair.passes.graft.plan import needing_values


def leftovers(model: Model) -> list[str]:
    """What no table of the file needs, in words."""
    found = []
    used = {buffer for _, buffer in model.metadata} | {0}
    opcodes: set[int] = set()
    for subgraph in model.subgraphs:
        tensors = {*subgraph.inputs, *subgraph.outputs}
        for operator in subgraph.operators:
            tensors.update(operator.inputs, operator.outputs)
        if set(range(subgraph.tensor_count)) - tensors:
            found.append(f"tensors of subgraph {subgraph.index}")
        used.update(subgraph.tensor(t).buffer for t in range(subgraph.tensor_count))
        opcodes.update(subgraph.operator_columns.opcodes)
    if set(range(model.buffer_count)) - used:
        found.append("buffers")
    if set(range(len(model.operator_codes))) - opcodes:
        found.append("operator codes")
    return found + [f.code for f in scan(model).findings if f.code in ("TFR023", "TFR024")]


@pytest.mark.runs
def test_a_frozen_model_keeps_nothing_that_is_dead(tmp_path: Path) -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.call_once(initializer(build, w=W, b=B))
    y = add(infer, infer.input(), infer.read(infer.handle("w")))
    add(infer, y, y)  # for nothing
    infer.output(add(infer, y, infer.read(infer.handle("b"))))
    old = build.bytes()
    _, after = frozen(old)
    assert leftovers(after)
    small = compacted(after)
    assert leftovers(small) == [] and small.size < len(old)
    assert counts(small) == [{"ADD": 2}]
    assert small.signatures[0].inputs[0][0] == "in0"
    assert same(
        run(old, tmp_path, ("infer", {"in0": X})),
        run(bytes(small.data), tmp_path, ("infer", {"in0": X})),
    )


@pytest.mark.runs
def test_what_trains_stays(tmp_path: Path) -> None:
    old = infer_and_train().bytes()
    small = compacted(frozen(old)[1])
    assert leftovers(small) == []
    assert [v.name for v in scan(small).analysis.variables] == ["w"]
    calls = [("infer", {"in0": X}), ("train", {"in0": X}), ("infer", {"in0": X})]
    assert same(run(old, tmp_path, *calls), run(bytes(small.data), tmp_path, *calls))


@pytest.mark.parametrize("name", ["healthy", "table", "f16", "half", "twice", "order"])
def test_files_of_the_converter_stay_the_same_model(data: Path, name: str) -> None:
    old = from_bytes((data / f"{name}.tflite").read_bytes())
    small = compacted(old)
    assert small.size <= old.size
    assert tflrepair.diff(old, small).same


@pytest.mark.runs
def test_a_counter_that_nobody_asks_goes_from_a_loop(data: Path, tmp_path: Path) -> None:
    """The converter counts the turns of a tf.while_loop, which has its own counter."""
    old = from_bytes((data / "flow.tflite").read_bytes())
    small = compacted(old)
    (loop,) = (o for o in old.subgraph(0).operators if o.name == "WHILE")
    (less,) = (o for o in small.subgraph(0).operators if o.name == "WHILE")
    assert len(less.inputs) == len(less.outputs) == len(loop.inputs) - 1
    calls = [("infer", {"x": np.array([[1, -2, 3, 0.5]], np.float32)})] * 3
    runs = [run(bytes(m.data), tmp_path, *calls, delegate=False) for m in (old, small)]
    assert same(*runs)


def test_files_in_an_appended_zip_stay(tmp_path: Path) -> None:
    data = frozen(infer_and_train().bytes())[1].data
    stream = io.BytesIO(bytes(data))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    small = compacted(from_bytes(stream.getvalue()))
    with zipfile.ZipFile(io.BytesIO(bytes(small.data))) as archive:
        assert archive.read("labels.txt") == b"cat\ndog\n" and archive.testzip() is None


def test_values_outside_the_flatbuffer_come_along() -> None:
    build = infer_and_train()
    old = from_bytes(build.bytes())
    value = next(n for n, row in enumerate(old.buffers) if row.length)
    want = bytes(old.buffer_bytes(value))
    row = build.model.buffers[value]
    row.data, row.offset, row.size = None, 1 << 14, len(want)
    body = packed(build)
    small = compacted(from_bytes(body + bytes((1 << 14) - len(body)) + want))
    assert want in [bytes(small.buffer_bytes(n)) for n in range(small.buffer_count)]


def test_metadata_that_counts_operators_keeps_the_file() -> None:
    build = infer_and_train()
    metadata(build, "model_control_dependencies", b"\1")
    old = from_bytes(frozen_bytes(build))
    assert compacted(old) is old


def test_a_file_that_no_other_pass_changed_is_not_rewritten(data: Path) -> None:
    old = from_bytes((data / "flow.tflite").read_bytes())
    assert compacted(old).size < old.size
    assert run_pass(CompactPass(), old) == bytes(old.data)


def frozen_bytes(build: Build) -> bytes:
    """A build with room for less in it."""
    build.model.buffers.append(fb.BufferT())
    build.model.buffers[-1].data = list(bytes(4096))
    return build.bytes()


def test_another_value_is_noticed() -> None:
    old = frozen(infer_and_train().bytes())[1]
    small = compacted(old)
    check_compacted(old, needed(old), small)
    data = bytearray(small.data)
    at = data.index(W.tobytes())
    data[at] ^= 1
    with pytest.raises(RefusedError, match="failed its own check"):
        check_compacted(old, needed(old), from_bytes(bytes(data)))


@pytest.mark.runs
@pytest.mark.parametrize("delegate", [True, False])
def test_float16_values_freeze_and_stay_float16(data: Path, tmp_path: Path, delegate: bool) -> None:
    """`infer` of the converter's file with float16 values, without the signature that trains."""
    part = tmp_path / "infer.tflite"
    extract_part(data / "f16.tflite", part, signature="infer")
    old = part.read_bytes()
    (tmp_path / "runs").mkdir()
    assert {"READ_VARIABLE", "DEQUANTIZE"} <= {n for row in counts(from_bytes(old)) for n in row}
    result, after = frozen(old)
    assert not needing_values(AnalysisContext(after).analysis) and not result.plan.kept
    small = compacted(after)
    assert counts(small) == [{"DEQUANTIZE": 2, "BATCH_MATMUL": 1, "ADD": 1}]
    assert leftovers(small) == [] and small.size < len(old)
    calls = [("infer", {"x": np.array([[1, -2, 3, 0.5]], np.float32)})]
    before = run(old, tmp_path / "runs", *calls, delegate=delegate)
    assert same(before, run(bytes(small.data), tmp_path / "runs", *calls, delegate=delegate))
    best = run(fold(small), tmp_path / "runs", *calls, delegate=delegate)
    np.testing.assert_allclose(best[0].outputs["output"], before[0].outputs["output"], rtol=1e-5)


@pytest.mark.tf
def test_the_reported_model_loses_its_dead_tables(reported: Path, tmp_path: Path) -> None:
    with np.load(reported / "values.npz") as values:
        grafted = with_values((reported / "model.tflite").read_bytes(), values)
    after = frozen(bytes(grafted.data))[1]
    small = compacted(after)
    assert leftovers(small) == [] and small.size < grafted.size < after.size
    with np.load(reported / "io.npz") as rows:
        calls = [("infer", {"x": rows["x"][:1]})]
    before = run(bytes(after.data), tmp_path, *calls, delegate=False)
    assert same(before, run(bytes(small.data), tmp_path, *calls, delegate=False))
