"""What a fold refuses, and what it must not let through."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from folding_models import ROOM, metadata, packed, transposed
from freeze_models import (
    B,
    W,
    add,
    infer_and_train,
)
from grafted import fold

from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import from_bytes
from tflrepair.passes.fold import fold as folding


@pytest.mark.runs
def test_an_if_of_a_constant_is_refused_with_the_reason() -> None:
    build = Build()
    main, same = build.sub("main", "k"), build.sub("same")
    same.output(same.input())
    x, y = main.input(), main.tensor()
    main.branch(1, 1, [x], [y])
    main.output(y)
    with pytest.raises(RefusedError, match="the condition of an IF is a constant"):
        fold(from_bytes(build.bytes()))


def test_a_model_without_values_is_refused(data: Path) -> None:
    with pytest.raises(RefusedError, match="initial values"):
        fold(from_bytes((data / "partial.tflite").read_bytes()))


def test_what_mlir_would_lose_is_refused() -> None:
    build = infer_and_train()
    build.model.subgraphs[1].name = "infer"
    with pytest.raises(UnsupportedError, match="two subgraphs are named 'infer'"):
        fold(from_bytes(build.bytes()))
    build = infer_and_train()
    build.model.metadataBuffer = [0]
    with pytest.raises(UnsupportedError, match="metadata_buffer"):
        fold(from_bytes(build.bytes()))
    build = infer_and_train()
    tensor = build.model.subgraphs[0].tensors[0]
    tensor.sparsity = fb.SparsityParametersT()
    tensor.sparsity.traversalOrder = list(range(len(tensor.shape)))
    tensor.sparsity.dimMetadata = [fb.DimensionMetadataT() for _ in tensor.shape]
    for row, size in zip(tensor.sparsity.dimMetadata, tensor.shape, strict=True):
        row.denseSize = size
    with pytest.raises(UnsupportedError, match="sparsity"):
        fold(from_bytes(build.bytes()))
    build = infer_and_train()
    metadata(build, "model_control_dependencies", b"\1")
    with pytest.raises(UnsupportedError, match="counts operators"):
        fold(from_bytes(build.bytes()))


@pytest.mark.runs
def test_a_signature_of_an_inner_tensor_is_refused() -> None:
    build = infer_and_train()
    build.bytes()
    build.model.signatureDefs[0].outputs[0].tensorIndex = 3
    with pytest.raises(RefusedError, match="names a tensor that its subgraph does not give out"):
        fold(from_bytes(packed(build)))


@pytest.mark.runs
def test_where_mlir_dies_the_caller_lives() -> None:
    build = Build()
    sub = build.sub("main", "k")
    out = sub.tensor()
    lengths = [sub.input(shape=(2,)), sub.input(shape=(3,))]  # which do not add up
    sub.op("ADD", lengths, [out], fb.AddOptionsT())
    sub.output(out)
    with pytest.raises(RefusedError, match="MLIR cannot fold this model"):
        fold(from_bytes(build.bytes()))


@pytest.mark.runs
def test_a_fold_that_takes_too_long_is_ended() -> None:
    with pytest.raises(RefusedError, match=r"took more than 0.01 s"):
        fold(from_bytes(transposed().bytes()), timeout=0.01)


@pytest.mark.runs
def test_a_result_that_answers_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(value: np.ndarray[Any, Any]) -> bytes:
        build = Build()
        sub = build.sub("main", "k")
        sub.output(add(sub, sub.input(), sub.tensor(data=value.tobytes())))
        return build.bytes()

    monkeypatch.setattr(
        folding,
        "_mlir",
        lambda _, target, timeout: target.write_bytes(other(W * np.float32(1.001))),
    )
    with pytest.raises(RefusedError, match=r"answers differently in k: out0 differs by 0.007"):
        fold(from_bytes(other(W) + ROOM))


def test_a_result_with_another_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    build = infer_and_train()
    old = build.bytes()
    build.model.buffers[build.model.subgraphs[2].tensors[0].buffer].data = list(B.tobytes())
    monkeypatch.setattr(
        folding, "_mlir", lambda _, target, timeout: target.write_bytes(build.bytes())
    )
    with pytest.raises(RefusedError, match="folding changes variables"):
        fold(from_bytes(old + ROOM))


def test_rubbish_from_mlir_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        folding, "_mlir", lambda _, target, timeout: target.write_bytes(transposed().bytes()[:-200])
    )
    with pytest.raises(TflRepairError):
        fold(from_bytes(transposed().bytes()))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r"pip install 'tflrepair\[optimize\]'"):
        fold(from_bytes(transposed().bytes()))
