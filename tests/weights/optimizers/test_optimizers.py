"""Optimizer variables: documented starts, state from files, and what must be given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
import pytest

from tflrepair import weights
from tflrepair.errors import UserError
from tflrepair.weights import MatchTable, Target

PATH = "net/dense/kernel"
KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


def match(
    *names: str,
    shapes: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    sets: Mapping[str, str] = MappingProxyType({}),
    rate: float | str | None = None,
) -> MatchTable:
    targets = [Target("", PATH, "float32", (2, 3))]
    for name in names:
        scalar = name.endswith(("iteration", "learning_rate", "step_counter", "dynamic_scale"))
        dtype = "int64" if name.endswith(("iteration", "step_counter")) else "float32"
        targets.append(Target("", name, dtype, shapes.get(name, () if scalar else (2, 3))))
    return weights.match(targets, [weights.open_weights({PATH: KERNEL})], sets=sets, rate=rate)


@pytest.mark.parametrize(
    ("optimizer", "slot", "start"),
    [
        ("sgd", "momentum", 0.0),
        ("adam", "momentum", 0.0),
        ("adam_3", "velocity", 0.0),
        ("adam", "velocity_hat", 0.0),
        ("adam_w", "velocity", 0.0),
        ("adamax", "norm", 0.0),
        ("nadam", "momentum", 0.0),
        ("rm_sprop", "average_gradient", 0.0),
        ("adagrad", "accumulator", 0.1),
        ("adadelta", "accumulated_delta_var", 0.0),
        ("ftrl", "accumulator", 0.1),
        ("ftrl", "linear", 0.0),
        ("lion", "momentum", 0.0),
        ("adafactor", "velocity", 0.0),
        ("muon", "velocity", 0.0),
        ("lamb", "velocity", 0.0),
        ("adam", "average", 0.0),
        ("adam", "gradient_accumulator", 0.0),
    ],
)
def test_documented_starts(optimizer: str, slot: str, start: float) -> None:
    name = f"{optimizer}/net_dense_kernel_{slot}"
    table = match(f"{optimizer}/iteration", name)
    assert not table.problems
    row = next(r for r in table.rows if r.target.shared_name == name)
    assert (row.value() == np.float32(start)).all()
    assert row.shape == (2, 3)
    assert row.source.startswith("keras/src/optimizers/")


def test_a_momentum_that_starts_as_a_copy_of_its_variable() -> None:
    scope = "schedule_free_adam_w"
    table = match(f"{scope}/iteration", f"{scope}/net_dense_kernel_momentum")
    assert np.array_equal(table.rows[2].value(), KERNEL)


def test_counters_scales_and_random_state() -> None:
    name = "dropout/seed_generator/seed_generator_state"
    targets = [
        Target("", "adam/iteration", "int64", ()),
        Target("", "loss_scale_optimizer/iteration", "int64", ()),
        Target("", "loss_scale_optimizer/learning_rate", "float32", ()),
        Target("", "loss_scale_optimizer/dynamic_scale", "float32", ()),
        Target("", "loss_scale_optimizer/step_counter", "int64", ()),
        Target("", name, "int64", (2,)),
    ]
    table = weights.match(targets, [])
    assert not table.problems
    got = [row.value().tolist() for row in table.rows]
    assert got == [0, 0, 0.0, 32768.0, 0, [0, 0]]
    assert table.rows[0].value().dtype.name == "int64"


def test_nadams_nameless_product_starts_at_one() -> None:
    table = match("nadam/iteration", "variable_4", shapes={"variable_4": ()})
    assert table.rows[2].value() == 1.0
    assert match("adam/iteration", "variable_4", shapes={"variable_4": ()}).problems


def test_a_learning_rate_must_be_given() -> None:
    problem = match("adam/iteration", "adam/learning_rate").problems[0]
    assert problem.variables == ("adam/learning_rate",)
    assert "--set adam/learning_rate=VALUE" in problem.hint
    table = match("adam/iteration", "adam/learning_rate", sets={"adam/learning_rate": "1e-4"})
    assert not table.problems
    assert table.rows[2].value() == np.float32(1e-4)


@pytest.mark.parametrize("rate", ["nan", "inf", "1e39", "1e-60", "1e-400", "x", np.nan, 1e39])
def test_a_rate_that_no_variable_can_hold_is_refused(rate: str | float) -> None:
    with pytest.raises(UserError, match="--learning-rate="):
        match("adam/iteration", "adam/learning_rate", rate=rate)


@pytest.mark.parametrize("rate", ["1e-4", 1e-4])
def test_a_rate_is_given(rate: str | float) -> None:
    table = match("adam/iteration", "adam/learning_rate", rate=rate)
    assert table.rows[2].value() == np.float32(1e-4)


def test_unknown_optimizers_are_refused() -> None:
    table = match("mine/iteration", "mine/net_dense_kernel_momentum")
    assert [p.variables for p in table.problems] == [("mine/net_dense_kernel_momentum",)]
    sets = {"mine/*_momentum": "0"}
    assert not match("mine/iteration", "mine/net_dense_kernel_momentum", sets=sets).problems


@pytest.mark.parametrize(("called", "taken"), [("adam", False), ("adam_1", True)])
def test_the_rate_of_another_optimizer_is_not_taken(
    tmp_path: Path, called: str, taken: bool
) -> None:
    """The model was compiled with an ``adam``; what was converted trains with an ``adam_1``."""
    file = tmp_path / "w.weights.h5"
    with h5py.File(file, "w") as h5:
        h5["layers/dense/vars/0"] = KERNEL
        h5["layers/dense/vars"].attrs["name"] = "dense"
        h5["optimizer/vars/0"] = np.int64(6)
        h5["optimizer/vars/1"] = np.float32(0.001)
        h5["optimizer/vars"].attrs["name"] = called
    targets = [
        Target("", PATH, "float32", (2, 3)),
        Target("", "adam_1/iteration", "int64", ()),
        Target("", "adam_1/learning_rate", "float32", ()),
        Target("", "adam_1/net_dense_kernel_momentum", "float32", (2, 3)),
    ]
    table = weights.match(targets, [weights.open_weights(file)])
    missing = [name for problem in table.problems for name in problem.variables]
    assert missing == ([] if taken else ["adam_1/learning_rate"])
