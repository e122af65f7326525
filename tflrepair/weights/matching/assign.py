"""Which arrays of a layer in a file can be which variables of a layer in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from tflrepair.weights.types import roles
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer, TargetLayer
from tflrepair.weights.types.weight import Target, Weight

Assignment = Mapping[str, Weight]  # shared name -> array
_MOST_READINGS = 64
_UNNAMED = "variable#"


def assignments(target: TargetLayer, layer: FileLayer) -> list[Assignment]:
    """Every way in which the layer's arrays can be the variables; empty if they cannot.

    By role where the file has roles, by the order of creation where Keras has a layer with these
    roles, else by shape alone.
    """
    wanted = list(_roles(target))
    if len(wanted) > len(layer.weights) or len(set(wanted)) != len(wanted):
        return []
    if any(weight.role for weight in layer.weights):
        found = list(_by_role(wanted, target, layer))
        if found or len(wanted) != len(layer.weights) or not wanted[0].startswith(_UNNAMED):
            return found
    if _made_by_keras(wanted, layer):
        return list(_by_order(wanted, target, layer))
    if len(wanted) == len(layer.weights) and all(role.startswith(_UNNAMED) for role in wanted):
        return list(_by_number(wanted, target, layer))
    found = list(islice(_by_shape(target.targets, layer.weights), _MOST_READINGS + 1))
    ordered = [reading for reading in found if _in_update_order(target, layer, reading)]
    return found[:_MOST_READINGS] if len(found) > _MOST_READINGS or not ordered else ordered


def _roles(target: TargetLayer) -> Iterator[str]:
    yield from _ranked([role for role, _ in target.targets])


def _ranked(names: Sequence[str]) -> Iterator[str]:
    """Roles, with the numbers of those that Keras named replaced by their order.

    A weight made without a name is called ``variable``, ``variable_1``, ... with a number that
    counts all variables of the process (keras/src/backend/common/variables.py, ``auto_name``).
    """
    numbers = sorted(split_number(n)[1] for n in names if split_number(n)[0] == "variable")
    for name in names:
        base, number = split_number(name)
        yield f"{_UNNAMED}{numbers.index(number)}" if base == "variable" else name


def _by_number(
    wanted: Sequence[str], target: TargetLayer, layer: FileLayer
) -> Iterator[Assignment]:
    place = {role: layer.weights[int(role.removeprefix(_UNNAMED))] for role in wanted}
    if all(fits(v, place[r]) for r, (_, v) in zip(wanted, target.targets, strict=True)):
        yield {v.shared_name: place[r] for r, (_, v) in zip(wanted, target.targets, strict=True)}


def _by_role(wanted: Sequence[str], target: TargetLayer, layer: FileLayer) -> Iterator[Assignment]:
    place = dict(zip(_ranked([w.role for w in layer.weights]), layer.weights, strict=True))
    # tf-keras calls the kernel of a DepthwiseConv2D so; Keras 3 does not
    if "depthwise_kernel" in place and "kernel" not in place and "pointwise_kernel" not in place:
        place["kernel"] = place["depthwise_kernel"]
    rows = [(role, v) for role, (_, v) in zip(wanted, target.targets, strict=True)]
    if all(role in place and fits(v, place[role]) for role, v in rows):
        yield {v.shared_name: place[role] for role, v in rows}


def _by_order(wanted: Sequence[str], target: TargetLayer, layer: FileLayer) -> Iterator[Assignment]:
    seen: list[Assignment] = []
    for order in roles.orders(wanted, len(layer.weights), layer.class_name):
        place = dict(zip(order, layer.weights, strict=True))
        reading = {v.shared_name: place[role] for role, v in target.targets}
        if reading not in seen and all(fits(v, place[role]) for role, v in target.targets):
            seen.append(reading)
            yield reading


def _by_shape(
    variables: Sequence[tuple[str, Target]], weights: Sequence[Weight]
) -> Iterator[Assignment]:
    if not variables:
        yield {}
        return
    (_, first), *rest = variables
    for i, weight in enumerate(weights):
        if fits(first, weight):
            for reading in _by_shape(rest, [*weights[:i], *weights[i + 1 :]]):
                yield {first.shared_name: weight, **reading}


def _in_update_order(target: TargetLayer, layer: FileLayer, reading: Assignment) -> bool:
    """Whether the arrays that are updated stand in the file in the order of updates.

    A file without roles numbers a layer's trainable variables as they were made. False as well
    where the order of updates is not known.
    """
    updated = [(t.updated, t.shared_name) for _, t in target.targets if t.updated is not None]
    if len(updated) != len(target.targets) or any(w.index is None for w in layer.weights):
        return False
    places = [reading[name].index or 0 for _, name in sorted(updated)]
    return all(a < b for a, b in pairwise(places))


def _made_by_keras(wanted: Sequence[str], layer: FileLayer) -> bool:
    """Whether the layer is one of Keras's own, whose order of creation is known.

    A list's member tells its class. Elsewhere roles such as ``moving_variance`` tell.
    """
    if layer.class_name:
        return roles.class_roles(layer.class_name) is not None
    return roles.known_roles(wanted)
