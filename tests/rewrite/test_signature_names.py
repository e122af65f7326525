"""Signatures renamed in a head of new tables, as a rebuild needs it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from build import Build, with_options_behind
from running import Session

from tflrepair.analysis.context import AnalysisContext
from tflrepair.format import schema
from tflrepair.graph.model import from_bytes, load
from tflrepair.rewrite.outside import OutsidePass
from tflrepair.rewrite.signature_names import rename_signatures

X, Y = np.ones((1, 4), np.float32), np.zeros((1, 3), np.float32)


@pytest.fixture
def old(data: Path) -> bytes:
    return (data / "healthy.tflite").read_bytes()


def test_changes_names_and_order(old: bytes) -> None:
    names = {"x": "an image", "y": "label"}
    new = rename_signatures(old, {"train": (names, ["label", "an image"], [])})
    before, after = from_bytes(old).signatures["train"], from_bytes(new).signatures["train"]
    tensors = dict(before.inputs)
    assert after.inputs == (("label", tensors["y"]), ("an image", tensors["x"]))
    assert after.outputs == before.outputs and after.subgraph == before.subgraph
    assert new.endswith(old)
    assert from_bytes(new).signatures["infer"] == from_bytes(old).signatures["infer"]
    was, now = Session(old).run("train", x=X, y=Y), Session(new)
    for name, value in now.run("train", **{"an image": X, "label": Y}).items():
        np.testing.assert_array_equal(value, was[name])


def test_changes_keys_and_their_subgraphs(old: bytes) -> None:
    model = from_bytes(rename_signatures(old, {}, {"infer": "predict"}))
    before = from_bytes(old)
    assert [s.key for s in model.signatures] == [
        {"infer": "predict"}.get(s.key, s.key) for s in before.signatures
    ]
    place = before.signatures["infer"].subgraph
    assert model.subgraph(place).name == "predict"
    assert [s.name for s in model.subgraphs if s.index != place] == [
        s.name for s in before.subgraphs if s.index != place
    ]
    np.testing.assert_array_equal(
        Session(bytes(model.data)).run("predict", x=X)["output"],
        Session(old).run("infer", x=X)["output"],
    )


def test_twice_equals_once(old: bytes) -> None:
    names = {"x": "image"}
    once = rename_signatures(old, {"infer": (names, ["image"], ["output"])}, {"train": "learn"})
    twice = rename_signatures(once, {"infer": (names, ["image"], ["output"])}, {"train": "learn"})
    assert from_bytes(twice).signatures == from_bytes(once).signatures


def test_an_order_of_other_names_is_not_used(old: bytes) -> None:
    new = rename_signatures(old, {"train": ({}, ["y"], ["nothing"])})
    assert from_bytes(new).signatures == from_bytes(old).signatures


def test_values_behind_the_flatbuffer(data: Path, tmp_path: Path) -> None:
    """Buffer.offset is a position in the file, so it moves with the head."""
    model, far = load(data / "healthy.tflite"), io.BytesIO()
    OutsidePass().apply(AnalysisContext(model), tmp_path).file.write(far)
    new = rename_signatures(far.getvalue(), {}, {"infer": "a much longer key than it was"})
    np.testing.assert_array_equal(
        Session(new).run("a much longer key than it was", x=X)["output"],
        Session(bytes(model.data)).run("infer", x=X)["output"],
    )


def test_large_custom_options_are_shifted() -> None:
    old = with_options_behind(Build()).bytes()
    new = from_bytes(rename_signatures(old, {}, {"custom": "mine"}))
    (found,) = new.subgraphs[0].operators
    position = found.table.scalar(schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET, "Q")
    assert bytes(new.data[position : position + 4]) == old[8:12]
