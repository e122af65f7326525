"""The rule by which two outputs agree, and the inputs that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution import inputs
from tflrepair.execution.compare import gap, not_finite
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import load

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("got", "want", "within"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.0002], [1.0, 2.0], True),
        ([1.0, 2.0003], [1.0, 2.0], False),
        ([0.00001], [0.0], True),
        ([0.0001], [0.0], False),
        ([INF], [INF], True),
        ([1.0], [INF], False),
        ([INF], [1.0], False),
        ([INF], [-INF], False),
        ([NAN], [NAN], False),
        ([NAN], [1.0], False),
        ([], [], True),
        ([1, 2], [1, 2], True),
        ([1, 3], [1, 2], False),
        ([2**60 + 1], [2**60], False),
        ([True], [False], False),
        ([1 + 1j], [1 + 1j], True),
        ([1 + 1j], [1 - 1j], False),
        ([[1.0]], [1.0], False),
    ],
)
def test_within(got: Any, want: Any, within: bool) -> None:
    row = gap("out", np.array(got), np.array(want), 1e-4, 1.1e-5)
    assert row.within is within


def test_what_is_left_where_large_terms_cancel() -> None:
    """A MobileNetV2's noise on an answer near 0: far beyond both tolerances, 1e-5 of the whole."""
    row = gap("out", np.array([6.0, 0.0045]), np.array([6.0, 0.00455]), 1e-4, 1e-5)
    assert not row.within
    assert row.share == pytest.approx(5e-5 / 6)
    assert gap("out", np.array([1e-3]), np.array([0.0]), 0, 0).share is None


def test_strings_are_equal_or_not() -> None:
    texts = np.array([b"a\0", b"b"], dtype=object)
    assert gap("out", texts, texts.copy(), 1, 1).within
    assert gap("out", np.array([b"a"], object), np.array(["a"]), 0, 0).within
    assert not gap("out", texts, np.array([b"a", b"b"], object), 1, 1).within


def test_nan_equals_nan_only_when_asked() -> None:
    nan = np.array([NAN, 1.0])
    assert gap("out", nan, nan, 0, 0, nan_equal=True).within
    assert not gap("out", nan, np.array([NAN, 2.0]), 0, 0, nan_equal=True).within


def test_numbers() -> None:
    row = gap("out", np.array([1.0, 0.5]), np.array([2.0, 0.0]), 0, 0)
    assert (row.max_abs, row.max_rel) == (1.0, 0.5)
    assert not_finite(np.array([NAN, INF, 1])) == "NaN in 1 of 3 values, Inf in 1 of 3 values"
    assert not_finite(np.array([1])) == not_finite(np.array([b"x"], object)) == ""


def test_made_up_inputs(data: Path) -> None:
    infer, train = run_targets(AnalysisContext(load(data / "healthy.tflite")))
    assert {p.name for p in train.inputs} == {"x", "y"}
    made, again = inputs.random(train), inputs.random(train)
    assert made["x"].shape == (1, 4) and made["x"].dtype == np.float32
    assert all(np.array_equal(made[name], again[name]) for name in made)
    assert 0 <= made["x"].min() < made["x"].max() < 1
    assert not inputs.zeros(infer)["x"].any()


def test_only_what_an_entry_reaches_counts(data: Path) -> None:
    for name in ("healthy", "flow", "table", "f16"):
        for entry in run_targets(AnalysisContext(load(data / f"{name}.tflite"))):
            assert entry.flex == () and not entry.random and not entry.quantised
