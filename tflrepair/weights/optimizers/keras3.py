"""Initial values of optimizer variables, from the optimizers' own source.

Keras 3 calls a slot ``<optimizer>/<variable's path with _ for />_<slot>``
(keras/src/optimizers/base_optimizer.py, ``add_variable_from_reference``). A slot's start is known
only under the name of an optimizer that Keras has: two optimizers give one slot name different
starts (``momentum`` is 0 in Adam, the variable's own value in ScheduleFreeAdamW).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tflrepair.weights.optimizers import keras2
from tflrepair.weights.optimizers.keras2 import Scalar, Slot
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.weight import Target

_BASE = "keras/src/optimizers/base_optimizer.py"
_SEED = "keras/src/random/seed_generator.py"
_LIKE_VARIABLE = -1.0  # no slot starts at -1: marks "starts as a copy of its variable"
# Every optimizer of Keras may keep these (use_ema=True, gradient_accumulation_steps=N).
_COMMON = {"average": 0.0, "gradient_accumulator": 0.0}
_MOMENTS = {"momentum": 0.0, "velocity": 0.0}


@dataclass(frozen=True)
class Optimizer:
    """What an optimizer keeps for each variable, and once for itself, with the starts."""

    source: str
    slots: Mapping[str, float]
    scalars: Mapping[str, float]


def _keras(file: str, slots: Mapping[str, float], **scalars: float) -> Optimizer:
    return Optimizer(f"keras/src/optimizers/{file}.py", {**_COMMON, **slots}, scalars)


# By the name that Keras gives an optimizer: its class name in lower snake case. Adagrad and Ftrl
# start at the default of their ``initial_accumulator_value``, LossScaleOptimizer at ``2**15``.
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": _keras("sgd", {"momentum": 0.0}),
    "adam": _keras("adam", {**_MOMENTS, "velocity_hat": 0.0}),
    "adam_w": _keras("adam", {**_MOMENTS, "velocity_hat": 0.0}),
    "adamax": _keras("adamax", {"momentum": 0.0, "norm": 0.0}),
    "nadam": _keras("nadam", _MOMENTS),
    "rm_sprop": _keras("rmsprop", {**_MOMENTS, "average_gradient": 0.0}),
    "adagrad": _keras("adagrad", {"accumulator": 0.1}),
    "adadelta": _keras("adadelta", {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}),
    "ftrl": _keras("ftrl", {"accumulator": 0.1, "linear": 0.0}),
    "lion": _keras("lion", {"momentum": 0.0}),
    "lamb": _keras("lamb", _MOMENTS),
    "adafactor": _keras("adafactor", {"velocity": 0.0}),
    "muon": _keras("muon", _MOMENTS),
    "schedule_free_adam_w": _keras(
        "schedule_free_adamw", {"momentum": _LIKE_VARIABLE, "velocity": 0.0}
    ),
    "loss_scale_optimizer": _keras(
        "loss_scale_optimizer", {}, step_counter=0.0, dynamic_scale=2.0**15, learning_rate=0.0
    ),
}


@dataclass(frozen=True)
class OptimizerStart:
    """How an optimizer variable (or a random generator's state) starts.

    At most one of ``value`` (of every element) and ``like`` (shared name of the variable that it
    starts as a copy of) is set; with neither, it must be given, and ``reason`` says why.
    ``owner`` is the shared name of the variable that a ``slot`` belongs to, where it is known.
    ``keras2`` marks variables that are called as tf-keras calls them.
    """

    reason: str
    value: float | None = None
    like: str | None = None
    source: str = ""
    slot: str = ""
    owner: str | None = None
    in_optimizer: bool = True
    keras2: bool = False


def starts(targets: Sequence[Target]) -> dict[str, OptimizerStart]:
    """For each target that belongs to an optimizer or a random generator: how it starts."""
    names = {target.shared_name: target for target in targets}
    paths = {name.replace("/", "_"): name for name in names}
    scopes = _scopes(names)
    found = {}
    for name, target in names.items():
        scope, _, rest = name.partition("/")
        if scope in scopes and rest and "/" not in rest:
            found[name] = _in_scope(scope, rest, target, paths)
        elif name.rpartition("/")[2] == "seed_generator_state" and target.shape == (2,):
            reason = "state of a random generator; Keras draws its seed at random"
            found[name] = OptimizerStart(reason, value=0.0, source=_SEED, in_optimizer=False)
        elif _is_nadam_product(target, names):
            reason = "Nadam's running product starts at 1"
            found[name] = OptimizerStart(reason, value=1.0, source=OPTIMIZERS["nadam"].source)
    for name, row in keras2.recognise(targets).items():
        found.setdefault(name, _of_keras2(row, names))
    return found


def _of_keras2(row: Slot | Scalar, names: Mapping[str, Target]) -> OptimizerStart:
    if isinstance(row, Scalar):
        return OptimizerStart(row.reason, value=row.value, source=row.source, keras2=True)
    owner = row.owner if row.owner in names else None
    if row.value is not None:
        reason = f"{row.slot} starts at {row.value:g}"
        return OptimizerStart(
            reason, row.value, source=row.source, slot=row.slot, owner=owner, keras2=True
        )
    if owner is None:
        return OptimizerStart(f"{row.slot} starts as a copy of {row.owner!r}, which is not there")
    reason = f"{row.slot} starts as a copy of {owner}"
    return OptimizerStart(reason, None, owner, row.source, row.slot, owner, keras2=True)


def _scopes(names: Iterable[str]) -> set[str]:
    """First parts of names under which an optimizer keeps its step counter or learning rate."""
    return {
        scope
        for scope, _, rest in (name.partition("/") for name in names)
        if rest == "iteration" or (rest == "learning_rate" and _kind(scope))
    }


def _kind(scope: str) -> Optimizer | None:
    return OPTIMIZERS.get(scope) or OPTIMIZERS.get(split_number(scope)[0])


def _in_scope(scope: str, rest: str, target: Target, paths: Mapping[str, str]) -> OptimizerStart:
    optimizer = _kind(scope)
    if rest == "iteration":
        return OptimizerStart("the step counter starts at 0", value=0.0, source=_BASE)
    if optimizer is not None and rest in optimizer.scalars:
        value = optimizer.scalars[rest]
        return OptimizerStart(f"{rest} starts at {value:g}", value=value, source=optimizer.source)
    if rest == "learning_rate":
        return OptimizerStart("the learning rate is in no weights file and has no safe default")
    if optimizer is None:
        return OptimizerStart(f"{scope!r} is no optimizer of Keras that we know")
    # TensorFlow makes the second of two equal names unique by a number
    for name in (rest, split_number(rest)[0]):
        for slot in sorted(optimizer.slots, key=len, reverse=True):
            if name.endswith(f"_{slot}"):
                return _slot(optimizer, slot, paths.get(name.removesuffix(f"_{slot}")))
    if split_number(scope)[0] == "adafactor":
        # its row and column averages carry the last part of their variable's name
        return OptimizerStart("an average starts at 0", value=0.0, source=optimizer.source)
    return OptimizerStart(f"{rest!r} is no variable of the optimizer {scope!r} that we know")


def _slot(optimizer: Optimizer, slot: str, owner: str | None) -> OptimizerStart:
    value = optimizer.slots[slot]
    if value != _LIKE_VARIABLE:
        reason = f"{slot} starts at {value:g}"
        return OptimizerStart(reason, value=value, source=optimizer.source, slot=slot, owner=owner)
    if owner is None:
        return OptimizerStart(
            f"{slot} starts as a copy of its variable, and which one that is is unclear"
        )
    reason = f"{slot} starts as a copy of {owner}"
    return OptimizerStart(reason, like=owner, source=optimizer.source, slot=slot, owner=owner)


def _is_nadam_product(target: Target, names: Iterable[str]) -> bool:
    """Keras gives Nadam's product no name of its own: it is called ``variable``, ``variable_1``."""
    if target.shape != () or split_number(target.shared_name)[0] != "variable":
        return False
    scalars = [name for name in names if split_number(name)[0] == "variable"]
    return len(scalars) == 1 and any(split_number(s)[0] == "nadam" for s in _scopes(names))
