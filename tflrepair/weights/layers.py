"""Variables and arrays grouped by layer, and which arrays of a layer can be which variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tflrepair.weights import roles
from tflrepair.weights.base import Target, Weight
from tflrepair.weights.names import split_number, split_variable

Assignment = Mapping[str, Weight]  # shared name -> array
_MOST_READINGS = 64


@dataclass(frozen=True)
class TargetLayer:
    """Variables of the model with the same name but for the last part.

    ``upstream`` is over the positions of the targets, as in Target; ``mask`` marks its own.
    """

    names: tuple[str, ...]
    targets: tuple[tuple[str, Target], ...]  # role, variable
    mask: int = 0
    upstream: int = 0

    @property
    def label(self) -> str:
        return "/".join(self.names)


@dataclass(frozen=True)
class FileLayer:
    """The arrays of one layer in a source, in the source's order."""

    source: str
    names: tuple[str, ...]
    keys: tuple[str, ...]
    weights: tuple[Weight, ...]

    @property
    def label(self) -> str:
        return "/".join(self.keys or self.names) or "(root)"

    @property
    def class_name(self) -> str:
        """The layer's class where the path tells it: only members of lists are called so."""
        return self.class_at(len(self.keys) - 1)

    def class_at(self, level: int) -> str:
        if level < 1 or self.keys[level - 1] != "layers":
            return ""
        return split_number(self.keys[level])[0]


def target_layers(targets: Sequence[Target]) -> list[TargetLayer]:
    """Group variables by layer. Two layers of one name come apart by TensorFlow's suffix."""
    groups: dict[tuple[tuple[str, ...], int], list[tuple[str, int]]] = {}
    for position, target in enumerate(targets):
        names, role, twin = split_variable(target.shared_name)
        groups.setdefault((names, twin), []).append((role, position))
    found = []
    for (names, _), members in groups.items():
        upstream = -1
        for _, position in members:
            upstream &= targets[position].upstream | (1 << position)
        mask = sum(1 << position for _, position in members)
        rows = tuple((role, targets[position]) for role, position in members)
        found.append(TargetLayer(names, rows, mask, upstream & ~mask))
    return found


def file_layers(weights: Sequence[Weight]) -> list[FileLayer]:
    """Group arrays by the layer that holds them, in the order of the source."""
    groups: dict[tuple[object, ...], list[Weight]] = {}
    for weight in weights:
        groups.setdefault((weight.source, weight.keys, weight.layer), []).append(weight)
    return [FileLayer(g[0].source, g[0].layer, g[0].keys, tuple(g)) for g in groups.values()]


def assignments(target: TargetLayer, layer: FileLayer) -> list[Assignment]:
    """Every way in which the layer's arrays can be the variables; empty if they cannot.

    By role where the file has roles, by the order of creation where Keras has a layer with these
    roles, else by shape alone.
    """
    if len(target.targets) > len(layer.weights):
        return []
    if any(weight.role for weight in layer.weights):
        return list(_by_role(target, layer))
    wanted = [role for role, _ in target.targets]
    if len(set(wanted)) != len(wanted):
        return []
    if _made_by_keras(wanted, target, layer):
        return list(_by_order(wanted, target, layer))
    return list(islice(_by_shape(target.targets, layer.weights), _MOST_READINGS))


def fits(target: Target, weight: Weight) -> bool:
    """Whether the array's shape and kind of number are the variable's."""
    if _kind(target.dtype) != _kind(weight.dtype):
        return False
    if target.shape is None:
        return True
    return len(target.shape) == len(weight.shape) and all(
        want in (-1, have) for want, have in zip(target.shape, weight.shape, strict=True)
    )


def _by_role(target: TargetLayer, layer: FileLayer) -> Iterator[Assignment]:
    place = {weight.role: weight for weight in layer.weights}
    # tf-keras calls the kernel of a DepthwiseConv2D so; Keras 3 does not
    if "depthwise_kernel" in place and "kernel" not in place and "pointwise_kernel" not in place:
        place["kernel"] = place["depthwise_kernel"]
    if all(role in place and fits(v, place[role]) for role, v in target.targets):
        yield {v.shared_name: place[role] for role, v in target.targets}


def _by_order(
    wanted: Sequence[str], target: TargetLayer, layer: FileLayer
) -> Iterator[Assignment]:
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


def _made_by_keras(wanted: Sequence[str], target: TargetLayer, layer: FileLayer) -> bool:
    """Whether the layer is one of Keras's own, whose order of creation is known.

    A list's member tells its class. Elsewhere roles such as ``moving_variance`` tell.
    """
    if layer.class_name:
        return roles.class_roles(layer.class_name) is not None
    return roles.known_roles(wanted)


def _kind(dtype: str) -> str:
    """``float``, ``int`` or ``bool``: no value changes between these."""
    name = dtype.rstrip("0123456789").removeprefix("bfloat").removeprefix("u")
    return name or "float"
