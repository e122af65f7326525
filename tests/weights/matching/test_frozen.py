"""Layers that the model holds as constants are not taken for its variables."""

from __future__ import annotations

import numpy as np
import pytest

from tflrepair.weights import Target, Weight, match
from tflrepair.weights.matching.frozen import frozen, strangers
from tflrepair.weights.model_facts.kernels import Kernel
from tflrepair.weights.types.layers import file_layers
from tflrepair.weights.types.weight import Source

RANDOM = np.random.default_rng(0)
KERNELS = [RANDOM.standard_normal((3, 3)).astype("float32") for _ in range(3)]
ONES = np.ones((3, 3), "float32")


def weight(number: int, array: np.ndarray) -> Weight:
    name = f"dense_{number}" if number else "dense"
    read = array.copy
    return Weight(
        "file", f"{name}/kernel", array.shape, "float32", (name,), role="kernel", reader=read
    )


def constant(array: np.ndarray, subgraph: int = 0) -> Kernel:
    return Kernel(subgraph, array.size, lambda: memoryview(array.tobytes()))


def found(weights: list[Weight], kernels: list[Kernel]) -> list[str]:
    layers = file_layers(weights)
    ids = frozen(kernels, layers)
    return [layer.weights[0].path for layer in layers if id(layer) in ids]


def test_a_transposed_kernel_is_found() -> None:
    weights = [weight(i, k) for i, k in enumerate(KERNELS)]
    assert found(weights, [constant(KERNELS[1].T.copy())]) == ["dense_1/kernel"]


@pytest.mark.parametrize("array", [ONES, np.zeros_like(ONES), np.eye(3, dtype="float32")])
def test_plain_values_prove_nothing(array: np.ndarray) -> None:
    assert found([weight(0, array)], [constant(array)]) == []


def test_nothing_is_said_where_more_layers_than_constants_are_alike() -> None:
    weights = [weight(0, KERNELS[0]), weight(1, KERNELS[0]), weight(2, KERNELS[1])]
    one_each = [constant(KERNELS[0], subgraph) for subgraph in (0, 1)]
    assert found(weights, one_each) == []
    assert found(weights, [constant(KERNELS[0])] * 2) == ["dense/kernel", "dense_1/kernel"]


def test_the_frozen_layer_decides_a_row_of_equal_layers() -> None:
    source = Source("file", "npz", tuple(weight(i, k) for i, k in enumerate(KERNELS)))
    target = Target("", "dense_9/kernel", "float32", (3, 3))
    assert match([target], [source]).problems[0].kind == "ambiguous"
    kernels = [constant(KERNELS[0].T.copy()), constant(KERNELS[2].T.copy())]
    table = match([target], [source], kernels=kernels)
    assert not table.problems
    assert np.array_equal(table.rows[0].value(), KERNELS[1])
    assert "constants" in table.rows[0].reason


def test_the_only_candidate_is_refused_if_the_model_holds_it() -> None:
    """A head restored from the file of the backbone, which is frozen into the model."""
    source = Source("file", "npz", (weight(0, KERNELS[0]),))
    target = Target("", "dense_9/kernel", "float32", (3, 3))
    (problem,) = match([target], [source], kernels=[constant(KERNELS[0])]).problems
    assert "stands in the model as a constant" in problem.message


def test_a_constant_that_no_file_knows_is_another_layer_like_it() -> None:
    source = Source("file", "npz", (weight(0, KERNELS[0]),))
    target = Target("", "dense_9/kernel", "float32", (3, 3))
    assert not match([target], [source]).problems
    (problem,) = match([target], [source], kernels=[constant(KERNELS[1])]).problems
    assert "and no file does" in problem.message


@pytest.mark.parametrize(
    ("array", "strange"),
    [
        (RANDOM.standard_normal(200_000).astype("float32"), {200_000}),
        (np.full(200_000, np.nan, "float32"), set()),
        (np.arange(200_000, dtype="float32") % 3, set()),
    ],
)
def test_a_constant_of_a_size_that_the_file_lacks_is_never_sorted(
    array: np.ndarray, strange: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sort(*_: object) -> None:
        raise AssertionError("gigabytes may be sorted here")

    monkeypatch.setattr("tflrepair.weights.model_facts.kernels.digest", sort)
    assert strangers([constant(array)], file_layers([weight(0, KERNELS[0])])) == strange


def test_no_constant_is_read_where_no_file_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflrepair.weights.matching.match.strangers", None)
    target = Target("", "dense_9/kernel", "float32", (3, 3))
    table = match([target], [], kernels=[constant(KERNELS[0])])
    assert table.problems[0].kind == "missing"
