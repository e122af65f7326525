"""Pairing the model's variables with a live module's, whose layers Keras numbers otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Variable
from tflrepair.errors import RefusedError
from tflrepair.rebuild.origins.live_names import pair_by_name, set_values

pytestmark = pytest.mark.tf
Shapes = Mapping[str, tuple[int, ...]]


def wanted(shapes: Shapes) -> list[Variable]:
    return [
        Variable(
            key=ResourceId("builtin", "", name),
            dtype="float32",
            shape=shape,
            conflicts=(),
            status=VariableStatus.INITIALIZED,
            created_by=(),
            assigned_by=(),
            read_by=(),
            unset_in=(),
            set_by=(),
            initial=None,
        )
        for name, shape in shapes.items()
    ]


def pairs(model: Shapes, module: Shapes, renumbered: bool = True) -> dict[str, str]:
    live = [tf.Variable(tf.zeros(shape), name=name) for name, shape in module.items()]
    found = pair_by_name(wanted(model), live, renumbered)
    return {k.shared_name: v.name.removesuffix(":0") for k, v in found.items()}


def dense(*numbers: int, shape: tuple[int, ...] = (2, 2)) -> Shapes:
    return {f"net/dense{f'_{n}' if n else ''}/kernel": shape for n in numbers}


def test_exact_names() -> None:
    assert pairs(dense(0, 1), dense(0, 1)) == {name: name for name in dense(0, 1)}


@pytest.mark.parametrize("shift", [1, 4, 9])
def test_numbers_shifted(shift: int) -> None:
    """``dense_9`` and ``dense_10`` sort as numbers, not as text."""
    moved = dense(shift, shift + 1)
    assert pairs(dense(0, 1), moved) == dict(zip(dense(0, 1), moved, strict=True))
    assert pairs(moved, dense(0, 1)) == dict(zip(moved, dense(0, 1), strict=True))


def test_slots_follow_their_weights() -> None:
    model = {"net/dense_2/kernel": (2,), "adam/net_dense_2_kernel_momentum": (2,)}
    module = {"net/dense/kernel": (2,), "adam/net_dense_kernel_momentum": (2,)}
    assert pairs(model, module) == dict(zip(model, module, strict=True))


@pytest.mark.parametrize(
    ("model", "module", "message"),
    [
        (dense(0, 1), dense(0, 2), "no variable for net/dense_1/kernel"),
        (dense(0), {"other/dense/kernel": (2, 2)}, "no variable for net/dense/kernel"),
        # one of the module's layers is a constant of the model: which?
        (dense(1), dense(0, 1), "net/dense_1/kernel may be"),
        (dense(1, 2), dense(1, 2, 3), "net/dense_1/kernel may be"),
    ],
)
def test_what_fits_in_no_way_or_in_two(model: Shapes, module: Shapes, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        pairs(model, module)


def test_shapes_decide_where_numbers_do_not() -> None:
    module = {**dense(0, shape=(3, 3)), **dense(1)}
    assert pairs(dense(1), module) == {"net/dense_1/kernel": "net/dense_1/kernel"}


def test_names_of_the_same_origin_are_what_they_say() -> None:
    """A SavedModel's own names; the model lacks what became constants."""
    name = next(iter(dense(1)))
    assert pairs(dense(1), dense(0, 1, 2), renumbered=False) == {name: name}
    with pytest.raises(RefusedError, match="no variable for"):
        pairs(dense(0), dense(1), renumbered=False)


def test_two_of_one_name() -> None:
    live = [tf.Variable(1.0, name="kernel") for _ in range(2)]
    with pytest.raises(RefusedError, match="two variables of the module are called kernel"):
        pair_by_name(wanted({"kernel": ()}), live, renumbered=True)


@pytest.mark.parametrize("value", [np.zeros(3, np.float32), np.zeros(2, np.float64)])
def test_nothing_is_set_unless_all_fits(value: Any) -> None:
    first, second = (tf.Variable([1.0, 2.0], name=name) for name in "ab")
    keys = [ResourceId("builtin", "", name) for name in "ab"]
    values = {keys[0]: np.array([5, 6], np.float32), keys[1]: value}
    with pytest.raises(RefusedError, match="but its value is"):
        set_values(dict(zip(keys, (first, second), strict=True)), values)
    assert first.numpy().tolist() == [1, 2]
