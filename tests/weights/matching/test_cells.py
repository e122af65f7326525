"""Cells of one RNN fit nothing else by shape, but their order tells another program."""

from __future__ import annotations

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


def test_the_file_of_the_same_program_is_taken() -> None:
    assert not matched("same.h5").problems


def test_cells_in_another_order_are_refused() -> None:
    problems = matched("exchanged.h5").problems
    assert {p.kind for p in problems} == {"conflict"}
    assert all("runs its cells in another order" in p.message for p in problems)
    assert sum(len(p.variables) for p in problems) == 6
