"""The rules behind starts, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tflrepair import weights
from tflrepair.errors import UserError
from tflrepair.weights import MatchTable, Source, Target
from tflrepair.weights.model_facts.called import called_names
from tflrepair.weights.types.optimizer_config import argument, optimizers

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)
PATHS = {"net/a/kernel": KERNEL, "net/A/kernel": KERNEL + 1}


def match(*targets: Target, **options: Any) -> MatchTable:
    layers = [Target("", name, "float32", (2, 3)) for name in PATHS]
    return weights.match([*layers, *targets], [weights.open_weights(PATHS)], **options)


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ({"Q/kernel_1", "q/kernel"}, {"Q/kernel_1": "Q/kernel"}),
        (
            {"AA/bias", "Aa/bias_1", "aa/bias_2"},
            {"Aa/bias_1": "Aa/bias", "aa/bias_2": "aa/bias"},
        ),
        ({"q/kernel", "q/kernel_1"}, {}),  # two weights of one layer
        ({"Q/kernel", "Q/kernel_1", "q/kernel_2"}, {"q/kernel_2": "q/kernel"}),
        ({"net/a/kernel", "a/lora_kernel_a"}, {"a/lora_kernel_a": "net/a/lora_kernel_a"}),
        ({"m/key/kernel", "n/key/kernel", "key/lora_kernel_a"}, {}),  # whose?
        ({"a/kernel", "a/lora_kernel_a"}, {}),
    ],
)
def test_what_the_program_called_them(names: set[str], called: dict[str, str]) -> None:
    assert called_names(names) == called


def config(kind: str, inner: Any = None, **arguments: Any) -> dict[str, Any]:
    more = {"inner_optimizer": inner} if inner else {}
    return {"class_name": kind, "config": {**arguments, **more}}


def source(*configs: Any) -> Source:
    found = tuple(each for c in configs for each in optimizers(c))
    return Source("file", "kind", (), optimizers=found)


def test_configs_of_optimizers_inside_others() -> None:
    inner = config("Adagrad", name="adagrad_7", initial_accumulator_value=0.3)
    outer = source(config("LossScaleOptimizer", inner, initial_scale=64.0))
    assert argument("adagrad", "adagrad", "initial_accumulator_value", [outer]) == (0.3, "file")
    assert argument("loss_scale_optimizer", "", "initial_scale", [outer]) == (64.0, "file")
    assert argument("adam", "", "learning_rate", [outer]) is None


def test_configs_that_differ_tell_nothing_but_by_name() -> None:
    two = source(*(config("SGD", name=n, learning_rate=r) for n, r in (("a", 0.1), ("b", 0.2))))
    assert argument("sgd", "c", "learning_rate", [two]) is None
    assert argument("sgd", "b", "learning_rate", [two]) == (0.2, "file")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "1", True, None, [1], {}])
def test_what_is_no_number_tells_nothing(value: Any) -> None:
    told = source(config("SGD", learning_rate=value))
    assert argument("sgd", "", "learning_rate", [told]) is None


def test_a_config_that_never_ends() -> None:
    endless: dict[str, Any] = {"class_name": "SGD", "config": {}}
    endless["config"]["inner_optimizer"] = endless
    assert len(list(optimizers(endless))) < 100


def test_one_number_for_each_element() -> None:
    seed = Target("", "seed_generator/seed_generator_state", "uint32", (2,))
    table = match(seed, sets={"*seed_generator_state": "7,0"})
    assert not table.problems
    assert not table.assumptions
    assert table.rows[-1].value().tolist() == [7, 0]
    with pytest.raises(UserError, match="3 numbers"):
        match(seed, sets={"*seed_generator_state": "7,0,1"})
    with pytest.raises(UserError, match="not a number"):
        match(seed, sets={"*seed_generator_state": "7,x"})


def test_a_seed_is_assumed() -> None:
    table = match(Target("", "seed_generator/seed_generator_state", "uint32", (2,)))
    (assumption,) = table.assumptions
    assert assumption.option == "--set '*seed_generator_state=VALUE'"


def test_a_slot_of_a_layer_whose_name_differs_by_case() -> None:
    """TensorFlow numbers the slot, too; its owner is the layer with its case."""
    shape = (2, 3)
    names = ["net_a_kernel_momentum", "net_A_kernel_momentum_1"]
    slots = [
        Target("", f"schedule_free_adam_w/{name}", "float32", shape, called=called)
        for name, called in zip(
            names, ["", "schedule_free_adam_w/net_A_kernel_momentum"], strict=True
        )
    ]
    counter = Target("", "schedule_free_adam_w/iteration", "int64", ())
    table = match(counter, *slots)
    assert not table.problems
    rows = {row.target.shared_name: row.value() for row in table.rows}
    for slot, path in zip(slots, PATHS, strict=True):
        assert np.array_equal(rows[slot.shared_name], PATHS[path])


def test_updates_that_mix_in_another_variable_make_a_copy() -> None:
    follower = Target("", "net_a_kernel_ema", "float32", (2, 3), follows="net/a/kernel")
    table = match(follower)
    assert not table.problems
    assert np.array_equal(table.rows[-1].value(), KERNEL)
    stranger = Target("", "moments", "float32", (2, 3), follows="net/a/kernel")
    assert match(stranger).problems


def test_a_copy_of_a_copy() -> None:
    """Whatever the order."""
    slower = Target("", "net_a_kernel_ema_ema", "float32", (2, 3), follows="net_a_kernel_ema")
    slow = Target("", "net_a_kernel_ema", "float32", (2, 3), follows="net/a/kernel")
    for order in ((slower, slow), (slow, slower)):
        table = match(*order)
        assert not table.problems
        assert all(np.array_equal(row.value(), KERNEL) for row in table.rows[-2:])


def test_two_that_follow_each_other_are_no_copies() -> None:
    names = ("one/c/kernel", "two/c/kernel")
    targets = [
        Target("", name, "float32", (4, 4), follows=other)
        for name, other in (names, reversed(names))
    ]
    assert set(names) == {n for problem in match(*targets).problems for n in problem.variables}
    table = match(*targets, sets=dict.fromkeys(names, "copy"))
    assert [problem.variables for problem in table.problems] == [names]
    assert "copies of each other" in table.problems[0].message


def test_a_copy_of_what_is_open_has_no_problem_of_its_own() -> None:
    names = ("net/c/kernel", "net_c_kernel_ema")
    targets = [
        Target("", names[0], "float32", (4, 4)),
        Target("", names[1], "float32", (4, 4), follows=names[0]),
    ]
    named = {name for problem in match(*targets).problems for name in problem.variables}
    assert names[0] in named
    assert names[1] not in named
