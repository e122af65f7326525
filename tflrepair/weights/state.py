"""Optimizer state from a source that has it.

A legacy HDF5 file names each variable of the optimizer. A Keras 3 file numbers them:
``iteration``, ``learning_rate``, then for each trainable variable its slots, in the order of
``optimizer.variables`` (keras/src/optimizers/base_optimizer.py, ``add_optimizer_variables``). The
order of the trainable variables is that of the layers in the file's config; where that does not
explain every shape, nothing is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tflrepair.weights.assign import fits
from tflrepair.weights.base import Source, Target, Weight
from tflrepair.weights.names import split_number
from tflrepair.weights.optimizers import Start
from tflrepair.weights.table import WEIGHT, Row

# Slots in the order in which the optimizers make them, one pass over all variables for each group.
_PASSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "sgd": (("momentum",),),
    "adam": (("momentum", "velocity"), ("velocity_hat",)),
    "adam_w": (("momentum", "velocity"), ("velocity_hat",)),
    "adamax": (("momentum", "norm"),),
    "nadam": (("momentum", "velocity"),),
    "adagrad": (("accumulator",),),
    "adadelta": (("accumulated_grad", "accumulated_delta_var"),),
    "ftrl": (("accumulator", "linear"),),
    "lion": (("momentum",),),
    "lamb": (("momentum", "velocity"),),
}
_NOT_TRAINED = frozenset(("moving_mean", "moving_variance", "mean", "variance", "count"))
_NOT_TRAINED_CLASSES = frozenset(("normalization", "seed_generator"))


def saved_state(
    targets: Sequence[Target],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
    sources: Sequence[Source],
) -> tuple[dict[str, Row], list[str]]:
    """(rows for optimizer variables whose state a source holds, warnings)."""
    found: dict[str, Row] = {}
    warnings = []
    mine = {name: start for name, start in starts.items() if start.in_optimizer}
    scopes = {name.partition("/")[0] for name in mine}
    for source in sources:
        state = [w for w in source.weights if w.keys[:1] == ("optimizer",)]
        if not state or not scopes:
            continue
        rest = {t.shared_name: t for t in targets if t.shared_name in mine}
        taken = _from_source(source, state, scopes, mine, rows, rest)
        found = taken | found
        if not set(mine) <= set(taken):
            warnings.append(
                f"{source.label} holds optimizer state ({len(state)} arrays); for "
                f"{len(set(mine) - set(taken))} of {len(mine)} optimizer variables it is not clear "
                "which is theirs, and they start anew"
            )
    return found, warnings


def _from_source(
    source: Source,
    state: Sequence[Weight],
    scopes: set[str],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
    targets: Mapping[str, Target],
) -> dict[str, Row]:
    kinds = {split_number(scope)[0] for scope in scopes}
    theirs = {split_number(w.layer[-1])[0] for w in state if w.layer}
    if len(scopes) > 1 or (theirs and theirs != kinds):
        return {}
    kept = {w.role: w for w in state} if state[0].role else _numbered(source, state, kinds.pop())
    found = {}
    for name, start in starts.items():
        weight = _find(targets[name], start, rows, kept)
        if weight is not None and fits(targets[name], weight):
            reason = f"optimizer state in the {source.kind}"
            found[name] = Row(targets[name], WEIGHT, weight, None, reason, "name")
    if any(start.slot and name not in found for name, start in starts.items()):
        # the step counter belongs to the slots: Adam's bias correction would be wrong
        return {name: row for name, row in found.items() if name.endswith("/learning_rate")}
    return found


def _find(
    target: Target, start: Start, rows: Mapping[str, Row], kept: Mapping[str, Weight]
) -> Weight | None:
    rest = target.shared_name.partition("/")[2]
    if rest in ("iteration", "learning_rate"):
        return kept.get(rest)
    owner = rows.get(start.owner or "")
    if owner is None or owner.weight is None or not start.slot:
        return None
    weight = owner.weight
    names = ["_".join((*weight.layer[n:], weight.role)) for n in (0, 1)] if weight.role else []
    found = [kept[f"{name}_{start.slot}"] for name in names if f"{name}_{start.slot}" in kept]
    return found[0] if found else kept.get(f"{weight.path}_{start.slot}")


def _numbered(source: Source, state: Sequence[Weight], kind: str) -> dict[str, Weight]:
    """Name -> array: the counter, the rate, and ``<path of the weight>_<slot>``."""
    rows = sorted((w for w in state if w.keys == ("optimizer",)), key=lambda w: w.index or 0)
    if len(rows) < 2 or rows[0].shape != () or "int" not in rows[0].dtype:
        return {}
    kept = {"iteration": rows[0]}
    slots = rows[1:]
    if rows[1].shape == () and "float" in rows[1].dtype:
        kept["learning_rate"], slots = rows[1], rows[2:]
    passes = _PASSES.get(kind, ())
    trained = _trained(source)
    expected = [(weight, slot) for group in passes for weight in trained for slot in group]
    if len(slots) < len(expected):  # the last pass is optional (amsgrad)
        expected = [(w, s) for group in passes[:1] for w in trained for s in group]
    if len(slots) != len(expected) or any(
        row.shape != weight.shape for row, (weight, _) in zip(slots, expected, strict=True)
    ):
        return kept
    for row, (weight, slot) in zip(slots, expected, strict=True):
        kept[f"{weight.path}_{slot}"] = row
    return kept


def _trained(source: Source) -> list[Weight]:
    """The trainable arrays in the order of the model; [] where the order is not known."""
    weights = [w for w in source.weights if w.plain]
    if any(w.rank is None for w in weights):
        return []
    trained = []
    for weight in sorted(weights, key=lambda w: (w.rank or 0, w.index or 0)):
        kind = split_number(weight.keys[-1].rpartition("/")[2])[0] if weight.keys else ""
        if kind in _NOT_TRAINED_CLASSES or weight.role in _NOT_TRAINED:
            continue
        if kind == "batch_normalization" and _is_statistic(weight, weights):
            continue
        trained.append(weight)
    return trained


def _is_statistic(weight: Weight, weights: Sequence[Weight]) -> bool:
    """Whether it is one of the last two arrays of its layer: the moving mean and variance."""
    count = sum(1 for other in weights if other.keys == weight.keys)
    return (weight.index or 0) >= count - 2
