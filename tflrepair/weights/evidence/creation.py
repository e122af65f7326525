"""Whether two arrays of one shape stand in a layer in the order in which Keras makes them.

A file of Keras 3 numbers a layer's arrays. That ``gamma`` is before ``beta`` is known for Keras's
own layers only; anybody's layer may have weights of these names, or be called so itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer, TargetLayer
from tflrepair.weights.types.weight import Target, Weight

# Layers that make their cell themselves (keras/src/layers/rnn)
_RECURRENT = frozenset(("lstm", "gru", "simple_rnn", "conv_lstm1d", "conv_lstm2d", "conv_lstm3d"))


def is_ordered(
    target: TargetLayer, layer: FileLayer, reading: Mapping[str, Weight], own: bool | None
) -> bool:
    """Whether nothing but this order is possible: no two arrays could be exchanged, or the order
    of updates agrees, or the layer is Keras's own.

    Args:
        own: whether the file says that the class is Keras's; None if it does not tell.
    """
    sure = own is True or _is_keras(target, layer)
    for (_, first), (_, second) in combinations(target.targets, 2):
        if first.shape != second.shape or first.dtype != second.dtype:
            continue
        mine, other = reading[first.shared_name].index, reading[second.shared_name].index
        if mine is None or other is None:
            return False
        agrees = _agrees(first, second, mine < other)
        if agrees is False or (agrees is None and not sure):
            return False
    return True


def _agrees(first: Target, second: Target, is_first: bool) -> bool | None:
    """Whether the order of updates says so, too; None if it does not tell.

    What is updated is trainable, and a file holds that before the rest.
    """
    a, b = first.update_hint, second.update_hint
    if a is not None and b is not None:
        return (a < b) == is_first
    if a is None and b is None:
        return None
    return (a is not None) == is_first or None


def _is_keras(target: TargetLayer, layer: FileLayer) -> bool:
    """Whether the layer does, or is part of, what only Keras's own classes are or do."""
    if any(t.normalizes for _, t in target.targets):
        return True
    shapes = {role: t.shape or () for role, t in target.targets}
    if "count" in shapes:  # a Normalization, which counts what it has seen
        return shapes["count"] == ()
    around = [*target.names[-2:-1], *(level.name for level in layer.levels[-2:-1])]
    around += [level.class_name for level in layer.levels[-2:-1]]
    bases = {split_number(name)[0].removeprefix("forward_").removeprefix("backward_")
             for name in around}  # fmt: skip
    if layer.keys and layer.keys[-1] == "cell" and not bases.isdisjoint(_RECURRENT):
        return True
    recurrent, bias = shapes.get("recurrent_kernel", ()), shapes.get("bias", ())
    if len(recurrent) != 2 or not bias:
        return False
    if split_number(layer.class_name or target.last)[0] == "gru_cell":
        return len(bias) == 2  # reset_after=True, Keras's default
    is_lstm = split_number(layer.class_name or target.last)[0] == "lstm_cell"
    return is_lstm and recurrent[1] == 4 * recurrent[0]
