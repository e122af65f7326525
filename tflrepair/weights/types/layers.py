"""Variables and arrays grouped by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from tflrepair.weights.types import roles
from tflrepair.weights.types.layer_names import (
    canonical,
    is_within,
    scope_of,
    split_number,
    split_path,
    unscoped,
)
from tflrepair.weights.types.weight import Target, Weight

# What Keras calls the sublayers that its own layers keep under these attributes
# (keras/src/layers/rnn/bidirectional.py, attention/multi_head_attention.py, rnn/rnn.py).
_ATTRIBUTES = {
    "forward_layer": "forward_*",
    "backward_layer": "backward_*",
    "cell": "*_cell",
    "query_dense": "query",
    "key_dense": "key",
    "value_dense": "value",
    "output_dense": "attention_output",
}


@dataclass(frozen=True)
class TargetLayer:
    """Variables of the model that belong to one layer.

    Attributes:
        names: the layer's name behind those of the models and layers around it, as far as known.
        short: the layer part of the variables' own names, which may lack some of these.
        targets: (role, variable).
        updated: place of the first of them in the order of updates, if that is known.
        mask, upstream: over the positions of the targets, as in Target; ``mask`` marks its own.
    """

    names: tuple[str, ...]
    short: tuple[str, ...]
    targets: tuple[tuple[str, Target], ...]
    mask: int = 0
    upstream: int = 0

    @property
    def label(self) -> str:
        return "/".join(self.names) or self.targets[0][1].shared_name

    @cached_property
    def updated(self) -> int | None:
        known = [t.updated for _, t in self.targets if t.updated is not None]
        return min(known) if known else None

    @cached_property
    def update_hint(self) -> int | None:
        known = [t.update_hint for _, t in self.targets if t.update_hint is not None]
        return min(known) if known else None

    @property
    def last(self) -> str:
        return self.names[-1] if self.names else ""


@dataclass(frozen=True)
class Level:
    """One step of a layer's path in a file: its name, class and attribute, empty if unknown."""

    name: str = ""
    class_name: str = ""
    attribute: str = ""

    @property
    def given(self) -> bool:
        """Whether somebody chose the name: the class is known and is called otherwise."""
        return bool(self.class_name and self.name) and (
            split_number(canonical(self.name))[0] != self.class_name
        )

    @property
    def is_known(self) -> bool:
        """Whether there is a name, a class, or an attribute that tells the name."""
        return bool(self.name or self.class_name) or self.attribute.lstrip("_") in _ATTRIBUTES

    def fits(self, name: str) -> bool:
        """Whether a layer of the model with this name can be this layer of the file."""
        base = split_number(canonical(name))[0]
        if self.given:
            return canonical(name) == canonical(self.name)
        if self.name:
            return base == split_number(canonical(self.name))[0]
        if self.class_name and roles.class_roles(base) is not None:
            return base == self.class_name
        return fnmatchcase(base, _ATTRIBUTES.get(self.attribute.lstrip("_"), "*"))

    def shift(self, name: str) -> int | None:
        """Number in the model minus number in the file; None if the file does not tell."""
        if self.given or not self.name:
            return None
        return split_number(name)[1] - split_number(self.name)[1]


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
    def rank(self) -> int | None:
        return self.weights[0].rank

    def node(self, level: int) -> tuple[str, ...]:
        """The path down to, and without, a level: what layers in the same place share."""
        return self.keys[: level - 1] if self.keys else self.names[:level]

    @property
    def sorted_steps(self) -> tuple[bool, ...]:
        return self.weights[0].sorted_steps

    @property
    def class_name(self) -> str:
        return self.levels[-1].class_name if self.levels else ""

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The steps to the layer, outermost (the saved model itself) first."""
        if not self.keys:
            classes = self.weights[0].classes or ("",) * len(self.names)
            return tuple(map(Level, self.names, classes))
        names = self.names or ("",) * (len(self.keys) + 1)
        found = [Level(names[0])]
        for key, name in zip(self.keys, names[1:], strict=True):
            listed, _, member = key.rpartition("/")
            class_name = split_number(member)[0] if listed else ""
            found.append(Level(name, class_name, "" if listed else member))
        return tuple(found)


def target_layers(targets: Sequence[Target]) -> list[TargetLayer]:
    """Group variables by layer: by their names, or by scope where names do not tell."""
    rows = [(split_path(t.name), _chain(t)) for t in targets]
    by_prefix: dict[tuple[str, ...], list[int]] = {}
    for position, ((prefix, _), _) in enumerate(rows):
        by_prefix.setdefault(prefix, []).append(position)
    found = []
    for built, members in by_prefix.items():
        prefix = _called(built, [targets[i] for i in members])
        chains = {i: rows[i][1] for i in members}
        raw = {i: rows[i][0][1] for i in members}
        if _is_several(prefix, raw, chains):
            parts: dict[tuple[str, ...], list[int]] = {}
            for i in members:
                parts.setdefault(chains[i], []).append(i)
            for chain, part in parts.items():
                named = _plain_roles({i: raw[i] for i in part}, set(raw.values()))
                found.append(_layer(chain, prefix, named, targets))
        else:
            found.append(_layer(_common(prefix, chains.values()), prefix, raw, targets))
    return found


def _called(built: tuple[str, ...], members: Sequence[Target]) -> tuple[str, ...]:
    """The layer's names, without the number that made the scope unique that it was built in.

    ``dense`` is called in the scope ``dense_1``; then ``dense_1`` is built in ``dense_1_1`` and
    called in ``dense_1_2``, where a layer named ``dense_1_1`` would be called in ``dense_1_1_1``.
    """
    base = split_number(built[-1])[0] if built else ""
    if not split_number(base)[1]:
        return built
    scopes = [scope_of(name) for target in members for name in target.read_as]
    numbers = [
        {split_number(s)[1] for s in scope if split_number(s)[0] == base} for scope in scopes
    ]
    own = {0, split_number(built[-1])[1]}
    return (*built[:-1], base) if numbers and all(found - own for found in numbers) else built


def _chain(target: Target) -> tuple[str, ...]:
    """Layer names around the variable from its scope, if they agree with its own name."""
    prefix, _ = split_path(target.name)
    for name in target.read_as:
        chain = unscoped(scope_of(name))
        if chain and is_within(prefix, chain):
            return chain
    return ()


def _is_several(
    prefix: tuple[str, ...], raw: dict[int, str], chains: dict[int, tuple[str, ...]]
) -> bool:
    """Whether variables of one name prefix belong to several layers.

    So it is where a subclassed model was built by calling it, which drops the sublayers' names
    (``net/kernel``, ``net/kernel_1``), and where two layers have one name.
    """
    if not all(chains.values()) or len(set(chains.values())) < 2:
        return False
    roles_here = set(raw.values())
    twins = any(split_number(r)[1] and split_number(r)[0] in roles_here for r in roles_here)
    return twins or not roles.known_roles(roles_here)


def _plain_roles(raw: dict[int, str], all_roles: set[str]) -> dict[int, str]:
    """``kernel_3`` -> ``kernel`` where TensorFlow made a second ``kernel`` unique."""
    plain = {}
    for i, name in raw.items():
        base, number = split_number(name)
        is_copy = number and (base in all_roles or roles.known_roles([base]))
        plain[i] = base if is_copy else name
    return plain if len(set(plain.values())) == len(plain) else raw


def _common(prefix: tuple[str, ...], chains: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The chain up to the layer's own name, if all variables agree on it."""
    cut = set()
    for chain in chains:
        if not chain or not prefix or prefix[-1] not in chain:
            return prefix
        cut.add(chain[: len(chain) - chain[::-1].index(prefix[-1])])
    return cut.pop() if len(cut) == 1 else prefix


def _layer(
    names: tuple[str, ...],
    short: tuple[str, ...],
    members: dict[int, str],
    targets: Sequence[Target],
) -> TargetLayer:
    upstream = -1
    for position in members:
        upstream &= targets[position].upstream | (1 << position)
    mask = sum(1 << position for position in members)
    rows = tuple((role, targets[position]) for position, role in members.items())
    return TargetLayer(names, short, rows, mask, upstream & ~mask)


def file_layers(weights: Sequence[Weight]) -> list[FileLayer]:
    """Group arrays by the layer that holds them, in the order of the source."""
    groups: dict[tuple[object, ...], list[Weight]] = {}
    for weight in weights:
        groups.setdefault((weight.source, weight.keys, weight.layer), []).append(weight)
    return [FileLayer(g[0].source, g[0].layer, g[0].keys, tuple(g)) for g in groups.values()]
