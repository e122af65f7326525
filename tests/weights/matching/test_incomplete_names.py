"""What names of a file tell that lost a layer: the only layer that fits may be the other one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.weights import MatchTable, kernels_of, match, open_weights, targets_of
from tflrepair.weights.types.match_table import EXACT
from weights.cases import DATA

pytestmark = pytest.mark.runs
NUMBERED = DATA / "numbered"
ACTIVATION = DATA / "activation"


def torn(file: str, gone: str, lost: str, accepted: tuple[str, ...] = ()) -> MatchTable:
    """The file without the layer ``gone``, for the model without the layer ``lost``."""
    model = load(NUMBERED / "model.tflite")
    needed = [v for v in analyse(model).variables if not v.name.startswith("adam/")]
    every = targets_of(model, needed)
    targets = [t for t in every if lost not in t.shared_name]
    if len(targets) < len(every):
        targets = [replace(t, upstream=0) for t in targets]  # which counts places
    source = open_weights(NUMBERED / file)
    kept = tuple(w for w in source.weights if gone not in w.path)
    source = replace(source, weights=kept)
    return match(targets, [source], kernels=kernels_of(model), accepted=accepted)


@pytest.mark.parametrize(
    ("file", "gone", "lost", "doubt"),
    [
        ("donor.weights.h5", "/d1/", "/dense_7/", "missing-layer"),
        ("by_path.npz", "/dense_6/", "/dense_7/", "renamed-layer"),
        ("by_path.npz", "/dense_7/", "/dense_6/", "renamed-layer"),
    ],
)
def test_what_is_left_is_not_taken_for_its_twin(
    file: str, gone: str, lost: str, doubt: str
) -> None:
    (problem,) = torn(file, gone, lost).problems
    assert "dense" in problem.message
    assert problem.options == (f"--accept {doubt}",)
    assert not torn(file, gone, lost, (doubt,)).problems


@pytest.mark.parametrize("file", ["donor.weights.h5", "by_path.npz"])
def test_the_whole_file_is_taken(file: str) -> None:
    table = torn(file, "nothing", "nothing")
    assert not table.problems
    if file == "by_path.npz":
        assert {row.confidence for row in table.rows} == {EXACT}


def test_an_activation_that_only_the_model_has() -> None:
    model = load(ACTIVATION / "model.tflite")
    needed = [v for v in analyse(model).variables if not v.name.startswith("adam/")]
    targets = targets_of(model, needed)
    (problem,) = match(targets, [open_weights(ACTIVATION / "donor.keras")]).problems
    assert "has a tanh behind it" in problem.message
    assert problem.options == ("--accept added-activation",)
