"""The order in which a training function updates variables is the one in which they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tflrepair import weights
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import from_bytes
from tflrepair.weights import Source, Target, Weight
from tflrepair.weights.model_facts.updates import _numbered, in_order

BASE = "adam/AssignSubVariableOp"
# as a converter wrote them, for twenty variables updated in this order
REAL = ["", "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "_10", "_11", "_12", "_13",
        "_14", "_151", "_16", "_17", "_18", "_19"]  # fmt: skip


def keys(*names: str) -> list[ResourceId]:
    return [ResourceId("variable", "", name) for name in names]


def ranks(suffixes: list[str]) -> list[int | None]:
    """The numbers that are read out of names, in the order of the names."""
    rows = keys(*map(str, range(len(suffixes))))
    found = _numbered(
        BASE, {BASE + suffix: row for suffix, row in zip(suffixes, rows, strict=True)}
    )
    return [found.get(row) for row in rows]


def test_digits_that_make_a_name_unique_are_told_from_numbers() -> None:
    assert ranks(REAL) == list(range(20))
    assert ranks(["", "_1", "_2", "_351", *(f"_{n}" for n in range(3, 35))])[3] == 35


def test_a_name_that_may_be_two_numbers_is_neither() -> None:
    """``_15`` became ``_151``, or ``_151`` kept its name and ``_15`` became ``_1511``."""
    suffixes = [f"_{n}" if n else "" for n in range(160)]
    suffixes[15], suffixes[151] = "_151", "_1511"
    found = ranks(suffixes)
    assert (found[15], found[151]) == (None, None)
    assert [n for n, rank in enumerate(found) if rank != n] == [15, 151]


@pytest.mark.parametrize("suffixes", [["_10", "_11", "_12"], ["", "_1", "_3"], ["1", "2"]])
def test_gaps_leave_no_order(suffixes: list[str]) -> None:
    assert ranks(suffixes) == [None] * len(suffixes)


def test_only_an_order_that_known_layers_confirm_is_trusted() -> None:
    dense, swapped = {"kernel": 0, "bias": 1}, {"kernel": 1, "bias": 0}
    assert in_order([dense, {"scale": 2}])
    assert not in_order([swapped, {"scale": 2}])  # sorted by name, say
    assert not in_order([{"scale": 0}])  # nothing confirms it
    assert in_order([dense, {"gamma": 3, "beta": 2}])  # a layer of somebody's own


def _block(keras: Any, names: list[str]) -> Any:
    class Block(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            for name in names:
                setattr(self, name, self.add_weight(shape=(8,), initializer="ones", name=name))

        def call(self, x: Any) -> Any:
            return x * self.scale + self.shift

    return Block()


def _converted(keras: Any, tf: Any, net: Any, folder: Path) -> bytes:
    """A training model that lost its values: Keras 3's variables are not tracked."""
    optimizer = keras.optimizers.Adam()
    optimizer.build(net.trainable_variables)
    spec = tf.TensorSpec([1, 8])

    class Training(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.optimizer = net, optimizer

        @tf.function(input_signature=[spec])
        def train(self, x: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.net(x) ** 2)
            variables = self.net.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    module = Training()
    tf.saved_model.save(module, str(folder), signatures={"train": module.train})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = True
    return bytes(converter.convert())


@pytest.mark.tf
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("names", [["scale", "shift"], ["shift", "scale"]])
def test_two_weights_of_one_shape_in_a_layer_of_ones_own(names: list[str], tmp_path: Path) -> None:
    """The two models compute the same; only the order of updates tells which array is which."""
    import keras
    import tensorflow as tf

    inputs = keras.Input((8,))
    net = keras.Model(inputs, keras.layers.Dense(8)(_block(keras, names)(inputs)))
    for number, variable in enumerate(net.variables):
        variable.assign(np.full(variable.shape, number + 1, "float32"))
    net.save(tmp_path / "net.keras")
    wanted = {variable.path: variable.numpy() for variable in net.variables}
    model = from_bytes(_converted(keras, tf, net, tmp_path / "saved"))
    variables = [v for v in analyse(model).variables if v.name in wanted]
    targets = weights.targets_of(model, variables)
    table = weights.match(targets, [weights.open_weights(tmp_path / "net.keras")])
    assert not table.problems
    for row in table.rows:
        assert np.array_equal(row.value(), wanted[row.target.shared_name])


def _branches(updated: list[int], sizes: list[int]) -> tuple[list[Target], Source]:
    """Dense layers side by side; the file numbers them, and names none of them."""
    targets, rows = [], []
    for number, size in enumerate(sizes):
        name = f"d{number}/kernel"
        place = updated[number]
        targets.append(Target("", name, "float32", (size, size), updated=place, update_hint=place))
        array = np.full((size, size), number, "float32")
        step = f"layers/dense_{number}" if number else "layers/dense"
        rows.append(
            Weight(
                "f",
                f"{step}/vars/0",
                array.shape,
                "float32",
                keys=(step,),
                index=0,
                sorted_steps=(True,),
                reader=array.copy,
            )
        )
    return targets, Source("f", "Keras 3 weights file", tuple(rows))


def test_branches_go_by_the_order_of_updates_where_others_confirm_it() -> None:
    targets, source = _branches([0, 1, 2, 3], [2, 2, 3, 4])
    table = weights.match(targets, [source])
    assert not table.problems
    assert [row.value()[0, 0] for row in table.rows] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("updated", "sizes"),
    [
        ([0, 1], [2, 2]),  # nothing confirms it
        ([0, 1, 3, 2], [2, 2, 3, 4]),  # the other two say that it is another order
    ],
)
def test_an_order_of_updates_of_ones_own_decides_nothing(
    updated: list[int], sizes: list[int]
) -> None:
    targets, source = _branches(updated, sizes)
    assert [p.kind for p in weights.match(targets, [source]).problems][:1] == ["ambiguous"]
