"""Cells of one RNN fit nothing else by shape, but their order tells another program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.weights import MatchTable, kernels_of, match, open_weights, targets_of
from tflrepair.weights.evidence.incomplete import incomplete
from tflrepair.weights.types.layers import file_layers
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


@pytest.mark.parametrize("file", ["same.h5", "same.keras"])
def test_a_cell_that_the_config_describes_and_the_file_lacks(file: str) -> None:
    """What is left of its class could be the other one."""
    source = open_weights(DATA / "cells" / file)
    gone = next(row for row in source.described if row.class_name == "simple_rnn_cell")
    left = tuple(w for w in source.weights if gone.class_name not in w.path)
    assert len(left) == len(source.weights) - 3
    layers = file_layers(left)
    cells = [layer for layer in layers if "gru_cell" in layer.label and "cells" in layer.label]
    assert not incomplete(layers, replace(source, weights=left)).keys() & {*map(id, cells)}
    twin = replace(gone, path=f"{gone.path}_1", name=f"{gone.name}_1")
    whole = replace(source, described=(*source.described, twin))
    found = incomplete(file_layers(source.weights), whole)
    assert set(found.values()) == {
        f"the file has no {twin.name!r}, which may be the layer that is meant"
    }
