"""Which optimizers Keras has, what each keeps, and how that starts: from their own source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tflrepair.weights.types.layer_names import split_number

LIKE_VARIABLE = -1.0  # no slot starts at -1: marks "starts as a copy of its variable"
BASE = "keras/src/optimizers/base_optimizer.py"
# Every optimizer of Keras may keep these (use_ema=True, gradient_accumulation_steps=N).
_COMMON = {"average": 0.0, "gradient_accumulator": 0.0}
_MOMENTS = {"momentum": 0.0, "velocity": 0.0}


@dataclass(frozen=True)
class Optimizer:
    """What an optimizer keeps for each variable, and once for itself, with the starts.

    ``arguments`` tells which argument of the constructor changes the start of a slot or scalar.
    """

    source: str
    slots: Mapping[str, float]
    scalars: Mapping[str, float]
    arguments: Mapping[str, str] = field(default_factory=dict)


def _keras(
    file: str,
    slots: Mapping[str, float],
    arguments: Mapping[str, str] | None = None,
    **scalars: float,
) -> Optimizer:
    source = f"keras/src/optimizers/{file}.py"
    return Optimizer(source, {**_COMMON, **slots}, scalars, arguments or {})


_ACCUMULATOR = {"accumulator": "initial_accumulator_value"}

# By the name that Keras gives an optimizer: its class name in lower snake case. Where the
# constructor decides (``arguments``), the start is its default.
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": _keras("sgd", {"momentum": 0.0}),
    "adam": _keras("adam", {**_MOMENTS, "velocity_hat": 0.0}),
    "adam_w": _keras("adam", {**_MOMENTS, "velocity_hat": 0.0}),
    "adamax": _keras("adamax", {"momentum": 0.0, "norm": 0.0}),
    "nadam": _keras("nadam", _MOMENTS),
    "rm_sprop": _keras("rmsprop", {**_MOMENTS, "average_gradient": 0.0}),
    "adagrad": _keras("adagrad", {"accumulator": 0.1}, _ACCUMULATOR),
    "adadelta": _keras("adadelta", {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}),
    "ftrl": _keras("ftrl", {"accumulator": 0.1, "linear": 0.0}, _ACCUMULATOR),
    "lion": _keras("lion", {"momentum": 0.0}),
    "lamb": _keras("lamb", _MOMENTS),
    "adafactor": _keras("adafactor", {"velocity": 0.0}),
    "muon": _keras("muon", _MOMENTS),
    "schedule_free_adam_w": _keras(
        "schedule_free_adamw", {"momentum": LIKE_VARIABLE, "velocity": 0.0}
    ),
    "loss_scale_optimizer": _keras(
        "loss_scale_optimizer",
        {},
        {"dynamic_scale": "initial_scale"},
        step_counter=0.0,
        dynamic_scale=2.0**15,
        learning_rate=0.0,
    ),
    # the wrapper's own; each optimizer in it keeps its variables under its own name
    "multi_optimizer": _keras("multi_optimizer", {}, learning_rate=0.0),
}


def kind_of(scope: str) -> str:
    """The optimizer of Keras that a scope is named after: ``adam_3`` -> ``adam``; or empty."""
    base = split_number(scope)[0]
    return scope if scope in OPTIMIZERS else base if base in OPTIMIZERS else ""
