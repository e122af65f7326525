"""TFR016 and on: each finds what it is for, and nothing in a twin without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from conftest import DATA, made

from tflrepair.checks.registry import all_checks
from tflrepair.commands.scan import scan
from tflrepair.findings import Finding
from tflrepair.format import strings
from tflrepair.graph.model import from_bytes

ONES = np.ones((8, 8), np.float32)


def found(build: Build, code: str) -> list[Finding]:
    return list(scan(from_bytes(build.bytes()), select=[code]).findings)


def initializer() -> Build:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(1)
    sub.output(sub.read(sub.handle("w")))
    init = build.sub("NoOp")
    init.assign(init.handle("w"), init.tensor(data=b"\0\0\x80\x3f" * 2))
    return build


def checkpoint(sub: Sub, kind: str, names: list[str]) -> None:
    """A FlexSave or FlexRestore of variables by their names."""
    packed = strings.pack(names)
    prefix = sub.tensor("STRING", (), strings.pack(["p"]))
    keys = sub.tensor("STRING", (len(names),), packed)
    if kind == "save":
        values = [sub.read(sub.handle(name)) for name in names]
        sub.op("FlexSave", [prefix, keys, *values], [])
        return
    for name in names:
        key = sub.tensor("STRING", (), strings.pack([name]))
        out = sub.tensor()
        sub.op("FlexRestore", [prefix, key], [out])
        sub.assign(sub.handle(name), out)


def trainer(saved: list[str], restored: list[str]) -> Build:
    build = Build()
    train = build.sub("train", "train")
    x = train.input()
    for name in ("w", "adam/m"):
        train.assign(train.handle(name), x)
    checkpoint(build.sub("save", "save"), "save", saved)
    if restored:
        checkpoint(build.sub("restore", "restore"), "restore", restored)
    return build


def test_018_restore_lacks_what_is_saved() -> None:
    (row,) = found(trainer(["w", "adam/m"], ["w"]), "TFR018")
    assert row.location.variable == "adam/m"
    assert not found(trainer(["w", "adam/m"], ["w", "adam/m"]), "TFR018")
    assert not found(trainer(["w"], []), "TFR018")  # a model that only saves, for another to read


def test_019_trained_but_not_saved() -> None:
    (row,) = found(trainer(["w"], ["w"]), "TFR019")
    assert "'adam/m'" in row.message
    assert not found(trainer(["w", "adam/m"], ["w", "adam/m"]), "TFR019")


@pytest.mark.tf
def test_018_and_019_on_the_reported_model() -> None:
    """Its `save` writes 6 variables of the head; `train` updates those of Adam, too."""
    model = made("reported") / "model.tflite"
    assert scan(model, select=["TFR018"]).findings == ()
    (row,) = scan(model, select=["TFR019"]).findings
    assert "are assigned but not saved" in row.message


@pytest.mark.parametrize(("key", "says"), [("train", 1), ("train_step", 1), ("restrain", 0)])
def test_016_trains_nothing(key: str, says: int) -> None:
    build = Build()
    sub = build.sub(key, key)
    out = sub.tensor()
    sub.op("NEG", [sub.input()], [out], fb.NegOptionsT())
    sub.output(out)
    assert len(found(build, "TFR016")) == says


def test_016_assignments_in_called_subgraphs_count() -> None:
    build = Build()
    sub = build.sub("train", "train")
    sub.call(1)
    inner = build.sub("body")
    inner.assign(inner.handle("w"), inner.tensor(data=b"\0" * 8))
    assert not found(build, "TFR016")


def dense(*weights: Any, scale: float | None = None) -> Build:
    """A FULLY_CONNECTED for each array, one after the other."""
    build = Build()
    sub = build.sub("infer", "infer")
    x = sub.input(shape=(1, 8))
    for array in weights:
        kind = {"f": "FLOAT32", "i": "INT8"}[array.dtype.kind]
        weight = sub.tensor(kind, array.shape, array.tobytes())
        if kind == "INT8":
            table = fb.QuantizationParametersT()
            table.scale, table.zeroPoint = [scale or 1.0], [0]
            sub.table.tensors[weight].quantization = table
        out = sub.tensor(shape=(1, array.shape[0]))
        sub.op("FULLY_CONNECTED", [x, weight], [out], fb.FullyConnectedOptionsT())
        x = out
    sub.output(x)
    return build


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_020_not_finite(bad: float) -> None:
    weights = ONES.copy()
    weights[3, 4] = bad
    (row,) = found(dense(weights), "TFR020")
    assert row.location.tensor is not None
    assert not found(dense(ONES), "TFR020")


def test_021_all_zero() -> None:
    (row,) = found(dense(ONES, ONES * 0), "TFR021")
    assert row.location.buffer is not None
    assert len(found(dense(np.zeros((8, 8), np.int8)), "TFR021")) == 1
    assert not found(dense(ONES), "TFR021")


def test_022_repeated() -> None:
    large = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    (row,) = found(dense(large, large), "TFR022")
    assert "16.4 KB are copies" in row.message
    assert not found(dense(large, large + 1), "TFR022")


def test_023_unreferenced() -> None:
    build = dense(ONES)
    assert not found(build, "TFR023")
    lonely = fb.BufferT()
    lonely.data = list(bytes(20_000))
    build.model.buffers.append(lonely)
    (row,) = found(build, "TFR023")
    assert row.location.buffer == len(build.model.buffers) - 1


def test_024_dead_operators_and_subgraphs() -> None:
    build = dense(ONES)
    assert not found(build, "TFR024")
    sub = Sub(build, "again")
    sub.table = build.model.subgraphs[0]
    sub.op("NEG", [0], [sub.tensor()], fb.NegOptionsT())
    build.sub("nobody")
    lost, idle = found(build, "TFR024")
    assert (lost.location.subgraph, idle.location.operator) == (1, 1)


def test_024_effects_are_no_waste() -> None:
    build = initializer()
    sub = Sub(build, "infer")
    sub.table = build.model.subgraphs[0]
    sub.op("FlexPrintV2", [sub.tensor("STRING", (), strings.pack(["x"]))], [])
    assert not found(build, "TFR024")


def test_025_float_weights_in_a_quantized_model() -> None:
    integer = np.ones((8, 8), np.int8)
    (row,) = found(dense(integer, integer, ONES), "TFR025")
    assert row.location.operator == 2
    assert not found(dense(ONES, ONES), "TFR025")
    assert not found(dense(integer, integer), "TFR025")


def test_026_flex() -> None:
    (row,) = scan(DATA / "half.tflite", select=["TFR026"]).findings
    assert "FlexReadVariableOp" in row.message
    assert "tensorflow-lite-select-tf-ops" in row.hint
    assert scan(DATA / "healthy.tflite", select=["TFR026"]).findings == ()


def test_weights_are_read_only_on_request() -> None:
    weights = ONES.copy()
    weights[0, 0] = np.nan
    model = from_bytes(dense(weights).bytes())
    assert "TFR020" not in [f.code for f in scan(model).findings]
    assert "TFR020" in [f.code for f in scan(model, values=True).findings]


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.code)
def test_every_check_is_documented(check: Any) -> None:
    for word in ("What:", "Why it matters:", "On each runtime", "Example:", "How it is fixed:"):
        assert word in check.doc or check.code.startswith("TFR9")
