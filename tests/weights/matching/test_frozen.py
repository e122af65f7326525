"""Layers that the model holds as constants are not taken for its variables."""

from __future__ import annotations

import numpy as np
import pytest

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.weights import Target, Weight, kernels_of, match, open_weights, targets_of
from tflrepair.weights.matching.frozen import frozen, strangers
from tflrepair.weights.model_facts.kernels import Kernel
from tflrepair.weights.types.layers import file_layers
from tflrepair.weights.types.weight import Source
from weights.cases import DATA

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


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
@pytest.mark.runs
def test_constants_that_the_converter_made_smaller_are_known(kind: str) -> None:
    """The body stands in the model as a constant, and its file is given for the head."""
    model = load(DATA / "frozen" / f"{kind}.tflite")
    (kernel,) = kernels_of(model)
    assert kernel.dtype == kind
    targets = targets_of(model, analyse(model).variables)
    source = open_weights(DATA / "frozen" / "donor.weights.h5")
    (problem,) = match(targets, [source], kernels=[kernel]).problems
    assert "stands in the model as a constant" in problem.message


def stored(array: np.ndarray, dtype: str = "int8") -> Kernel:
    """In the operator's layout, as the converter stores it: with a scale for each output."""
    moved = np.ascontiguousarray(np.moveaxis(array, -1, 0))
    if dtype == "float16":
        small = moved.astype("float16")
        return Kernel(0, array.size, lambda: memoryview(small.tobytes()), dtype, moved.shape)
    scale = np.abs(moved).reshape(len(moved), -1).max(1) / 127
    whole = np.round(moved / scale.reshape(-1, *[1] * (moved.ndim - 1))).astype("int8")
    table = {"scale": scale.tolist(), "zero_point": [], "details": None, "quantized_dimension": 0}
    return Kernel(0, array.size, lambda: memoryview(whole.tobytes()), dtype, moved.shape, table)


LARGER = [RANDOM.standard_normal((3, 3, 4, 8)).astype("float32") for _ in range(2)]


@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_smaller_constants_decide_and_are_strange_as_others_do(dtype: str) -> None:
    weights = [weight(i, k) for i, k in enumerate(LARGER)]
    layers = file_layers(weights)
    assert found(weights, [stored(LARGER[1], dtype)]) == ["dense_1/kernel"]
    assert found([weight(0, LARGER[0])] * 2, [stored(LARGER[0], dtype)] * 2) == ["dense/kernel"]
    assert found([weight(0, LARGER[0]), weight(1, LARGER[0])], [stored(LARGER[0], dtype)]) == []
    assert not strangers([stored(LARGER[1], dtype)], layers)
    assert strangers([stored(LARGER[0] * 1.1, dtype)], layers) == {LARGER[0].size}
    assert found(weights, [stored(np.ones_like(LARGER[0]), dtype)]) == []


def test_values_that_are_stored_in_a_way_of_their_own_may_be_anything() -> None:
    packed = Kernel(0, LARGER[0].size, lambda: memoryview(b""), "", LARGER[0].shape)
    layers = file_layers([weight(0, LARGER[0])])
    assert strangers([packed], layers) == {LARGER[0].size}
    assert not frozen([packed], layers)
