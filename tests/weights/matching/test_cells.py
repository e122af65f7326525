"""Cells of one RNN fit nothing else by shape, but their order tells another program."""

from __future__ import annotations

import numpy as np
import pytest

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.weights import MatchTable, kernels_of, match, open_weights, targets_of
from weights.cases import DATA

pytestmark = pytest.mark.runs


def matched(file: str) -> MatchTable:
    model = load(DATA / "cells" / "model.tflite")
    targets = targets_of(model, analyse(model).variables)
    return match(targets, [open_weights(DATA / "cells" / file)], kernels=kernels_of(model))


@pytest.mark.parametrize("file", ["same.h5", "same.keras"])
def test_the_file_of_the_same_program_is_taken(file: str) -> None:
    assert not matched(file).problems


def test_the_config_tells_the_classes_of_cells_inside_an_rnn() -> None:
    """``kernel`` and ``recurrent_kernel`` of one shape, which the file knows by number only."""
    by_role, by_number = matched("same.h5"), matched("same.keras")
    for one, two in zip(by_role.rows, by_number.rows, strict=True):
        assert np.array_equal(one.value(), two.value())


@pytest.mark.parametrize("file", ["exchanged.h5", "exchanged.keras"])
def test_cells_in_another_order_are_refused(file: str) -> None:
    problems = matched(file).problems
    assert {p.kind for p in problems} == {"conflict"}
    assert all("runs its cells in another order" in p.message for p in problems)
    assert sum(len(p.variables) for p in problems) == 6
