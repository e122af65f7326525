"""Folding with litert-converter's MLIR: what is faster after, what stays, what is refused."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from folding_models import folded, metadata, optimized, packed, transposed
from freeze_models import (
    BRANCH,
    B,
    W,
    X,
    add,
    passed_to_subgraphs,
)
from grafted import bytes_of, counts, fold, freeze, run
from injector import initial_values, rob
from peer import resaved

from tflrepair.graph.model import from_bytes

pytestmark = [
    pytest.mark.runs,
    pytest.mark.skipif(
        importlib.util.find_spec("litert_converter") is None, reason="needs litert-converter"
    ),
]


def test_constants_fold_once_they_are_frozen(tmp_path: Path) -> None:
    old = transposed().bytes()
    frozen = bytes_of(freeze(from_bytes(old)))
    after = folded(frozen)
    assert counts(after) == [{"ADD": 1}, {}]
    x = np.ones((2, 3), np.float32)
    (got,) = run(bytes(after.data), tmp_path, ("infer", {"in0": x}))
    assert got.outputs["out0"].tolist() == (x + np.arange(6).reshape(2, 3)).tolist()
    assert counts(folded(bytes(after.data))) == counts(after)


def test_names_signatures_and_metadata_come_back(tmp_path: Path) -> None:
    build = transposed()
    build.model.description = "described"
    metadata(build, "TFLITE_METADATA", bytes(range(256)))
    metadata(build, "min_runtime_version", b"2.99.0".ljust(16, b"\0"))
    metadata(build, "TFLITE_METADATA", b"a second one")
    build.bytes()
    second = fb.SignatureDefT()
    second.signatureKey, second.subgraphIndex = "größer", 0
    second.inputs, second.outputs = (build.model.signatureDefs[0].inputs, [fb.TensorMapT()])
    second.outputs[0].name, second.outputs[0].tensorIndex = (
        "other",
        build.model.subgraphs[0].outputs[0],
    )
    build.model.signatureDefs.append(second)
    old = from_bytes(packed(build))
    after = folded(bytes(old.data))
    assert after.description == "described"
    assert [(n, bytes(after.buffer_bytes(b))) for n, b in after.metadata] == [
        (n, bytes(old.buffer_bytes(b))) for n, b in old.metadata
    ]
    assert [s.name for s in after.subgraphs] == ["not main", "init"]
    assert [(s.key, s.inputs[0][0], s.outputs[0][0]) for s in after.signatures] == [
        ("infer", "in0", "out0"),
        ("größer", "in0", "other"),
    ]
    for model in (old, after):
        sub = model.subgraph(0)
        assert [sub.tensor(t).name for t in (*sub.inputs, *sub.outputs)] == ["t0", "t6"]


def test_the_order_of_a_signature_and_odd_outputs_stay(tmp_path: Path) -> None:
    build = Build()
    sub = build.sub("main", "k")
    x, unused = sub.input(), sub.input()
    constant = sub.tensor(data=W.tobytes())
    y = add(sub, x, constant)
    for tensor in (y, x, constant, y):  # an input and a constant given out, and one twice
        sub.output(tensor)
    build.bytes()
    row = build.model.signatureDefs[0]
    row.inputs.reverse()
    row.outputs.reverse()
    after = folded(packed(build))
    assert [name for name, _ in after.signatures[0].inputs] == ["in1", "in0"]
    assert [name for name, _ in after.signatures[0].outputs] == ["out3", "out2", "out1", "out0"]
    (got,) = run(bytes(after.data), tmp_path, ("k", {"in0": X, "in1": B}))
    wanted = {"out0": X + W, "out1": X, "out2": W, "out3": X + W}
    assert {k: v.tolist() for k, v in got.outputs.items()} == {
        k: v.tolist() for k, v in wanted.items()
    }
    assert unused in after.subgraph(0).inputs


def test_custom_operators_and_their_options_stay() -> None:
    build = Build()
    sub = build.sub("main", "k")
    x = sub.input()
    outs = [sub.tensor() for _ in range(3)]
    for out, options in zip(outs, (b"one", b"one", b"two"), strict=True):  # the last is unused
        sub.op("MyOp", [x], [out])
        sub.table.operators[-1].customOptions = list(options)
    sub.output(add(sub, outs[0], outs[1]))
    after = folded(build.bytes())
    found = [o for o in after.subgraph(0).operators if o.is_custom]
    data = [bytes(after.data[s : s + n]) for s, n in (o.table.span(5) or (0, 0) for o in found)]
    assert data == [b"one", b"one", b"two"]


def test_a_model_without_signatures() -> None:
    build = Build()
    sub = build.sub("main")
    sub.output(add(sub, sub.input(), sub.tensor(data=W.tobytes())))
    after = folded(build.bytes())
    assert not after.signatures and after.subgraph(0).tensor(after.subgraph(0).inputs[0]).name


def test_files_in_an_appended_zip_stay() -> None:
    archive = io.BytesIO(transposed().bytes())
    archive.seek(0, 2)
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr("labels.txt", "cat\ndog\n")
    with zipfile.ZipFile(io.BytesIO(fold(from_bytes(archive.getvalue())))) as stream:
        assert stream.read("labels.txt") == b"cat\ndog\n" and stream.testzip() is None


def test_control_flow_with_passed_handles(tmp_path: Path) -> None:
    old = passed_to_subgraphs()[0].bytes()
    after = folded(bytes_of(freeze(from_bytes(old))))
    (got,) = run(bytes(after.data), tmp_path, ("infer", BRANCH))
    assert got.outputs["out0"].tolist() == (X + 4 * W).tolist()
    assert [s.name for s in after.subgraphs] == [s.name for s in from_bytes(old).subgraphs]


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_healthy_files_of_the_converter_stay_right(data: Path, name: str) -> None:
    old = from_bytes((data / f"{name}.tflite").read_bytes())
    after = folded(bytes(old.data))
    assert [s.key for s in after.signatures] == [s.key for s in old.signatures]
    assert dict(after.metadata).keys() == dict(old.metadata).keys()


@pytest.mark.parametrize("name", ["healthy", "flow"])
def test_a_robbed_and_grafted_model_trains_as_before(data: Path, tmp_path: Path, name: str) -> None:
    healthy = (data / f"{name}.tflite").read_bytes()
    initial_values(healthy, tmp_path / "values.npz")
    with np.load(tmp_path / "values.npz") as values:
        _, after = optimized(rob(healthy), values)
    (tmp_path / "runs").mkdir()
    x, y = np.array([[1, -2, 3, 0.5]], np.float32), np.array([[1, 0, 0]], np.float32)
    calls = [("infer", {"x": x})] * 3
    if name == "healthy":
        calls += [("train", {"x": x, "y": y})] * 3 + [("infer", {"x": x})]
    for a, b in zip(
        run(healthy, tmp_path / "runs", *calls),
        run(bytes(after.data), tmp_path / "runs", *calls),
        strict=True,
    ):
        for key, value in a.outputs.items():
            np.testing.assert_allclose(b.outputs[key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.tf
def test_the_small_model_trains_as_before(small: Path, tmp_path: Path) -> None:
    with np.load(small / "values.npz") as values:
        grafted, after = optimized((small / "model.tflite").read_bytes(), values)
    with np.load(small / "training.npz") as rows:
        train = [("train", {"x": rows["x"], "y": rows["y"]})] * 10
        infer = [("infer", {"x": row[None]}) for row in rows["x"]]
        losses, answers = rows["loss"], rows["output"]
    for model in (grafted, after):
        outcomes = run(bytes(model.data), tmp_path, *train, *infer)
        # The learning rate is 1e-3 in the module, and with_values gives it that.
        loss = [float(outcome.outputs["loss"]) for outcome in outcomes[:10]]
        np.testing.assert_allclose(loss, losses, rtol=1e-5)
        got = np.concatenate([outcome.outputs["output"] for outcome in outcomes[10:]])
        np.testing.assert_allclose(got, answers, atol=1e-5)


@pytest.mark.tf
@pytest.mark.slow
def test_the_reported_model_equals_a_good_conversion(reported: Path, tmp_path: Path) -> None:
    with np.load(reported / "values.npz") as values:
        _, after = optimized((reported / "model.tflite").read_bytes(), values)
    peer = from_bytes(resaved(reported, flex=True).read_bytes())
    assert counts(after) == counts(peer)
    assert after.size < 1.01 * peer.size
    with np.load(reported / "io.npz") as rows:
        x, want = rows["x"], rows["output"]
    (got,) = run(bytes(after.data), tmp_path, ("infer", {"x": x}))
    np.testing.assert_allclose(got.outputs["output"], want, atol=1e-5)
