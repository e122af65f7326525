"""Optimizer state that a Keras 3 file numbers.

``iteration``, ``learning_rate``, then for each trainable variable its slots, in the order of
``optimizer.variables`` (keras/src/optimizers/base_optimizer.py, ``add_optimizer_variables``). The
order of the trainable variables is that of the layers in the file's config; where that does not
explain every shape, nothing is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.weight import Source, Weight

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


def numbered(source: Source, state: Sequence[Weight], kind: str) -> dict[str, Weight]:
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
