"""Layers of a file whose look-alikes may be missing from it.

Keras numbers the members of a list of layers from 0 without a gap (``layers/dense``,
``layers/dense_1``; keras/src/saving/saving_lib.py, ``_save_container_state``). Where one is
missing, somebody took it out, and what is left of its class may fit in its place. But a layer that
is an attribute, too, whose name comes before that of the list, stands there alone
(``_walk_saveable`` goes by the alphabet, and nothing is saved twice).
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.weights.types import roles
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer
from tflrepair.weights.types.weight import Source

# Layers around others, which hold the weights
_AROUND = frozenset(("lstm", "gru", "simple_rnn", "rnn", "bidirectional", "time_distributed",
                     "multi_head_attention"))  # fmt: skip
_Members = dict[int, list[FileLayer]]  # by number
_MODELS = frozenset(("functional", "sequential"))  # no two of them are alike inside
_GAP = "the file has no {!r}, which may be the layer that is meant"


def incomplete(layers: Sequence[FileLayer], source: Source | None = None) -> dict[int, str]:
    """``id`` of a layer -> what the file lacks beside it."""
    gaps, _ = _gaps(layers)
    gaps = _attributes(layers) | gaps
    return gaps | (_without_arrays(layers, source) if source is not None else {})


def elsewhere(layers: Sequence[FileLayer]) -> dict[int, str]:
    """``id`` of a layer -> what its list lacks, which may stand before it under another name.

    Attributes have names that tell an order; members of the list beside them have not.
    """
    return _gaps(layers)[1]


def _without_arrays(layers: Sequence[FileLayer], source: Source) -> dict[int, str]:
    """A file may also list a layer of a class that has weights, and hold nothing for it."""
    listed = {kind: name or kind for kind, name in source.weightless}
    paths = {"/".join(layer.keys[:n]) for layer in layers for n in range(len(layer.keys) + 1)}
    names = {name for layer in layers for name in layer.names}
    listed |= _described(source, paths, names)
    if source.architecture is not None:
        for unit in source.architecture.units:
            held = unit.path in paths if paths != {""} else unit.names[1] in names
            if not held:
                listed[unit.class_name] = unit.names[1]
    found: dict[int, str] = {}
    for layer in layers:
        kinds = {split_number(name)[0] for name in layer.names}
        kinds |= {level.class_name for level in layer.levels}
        for kind in kinds & set(listed):
            if roles.class_roles(kind) is not None or kind in _AROUND:
                found[id(layer)] = _GAP.format(listed[kind])
    return found


def _described(source: Source, paths: set[str], names: set[str]) -> dict[str, str]:
    """Class -> name of a layer that the file's config describes and the file does not hold.

    A file without paths may lack the names of layers in layers; of the cells of one RNN it has all
    names or none.
    """
    held = names | {row.name for row in source.described if row.path in paths}  # shared layers
    named = {row.path.rpartition("/")[0] for row in source.described if row.name in names}
    found: dict[str, str] = {}
    for row in source.described:
        around = row.path.rpartition("/")[0]
        if row.name in held or row.path in paths or roles.class_roles(row.class_name) is None:
            continue
        if paths != {""} or (around.endswith("/cells") and around in named):
            found[row.class_name] = row.name
    return found


def _attributes(layers: Sequence[FileLayer]) -> dict[int, str]:
    """Attributes that somebody numbered, ``d2`` without ``d1``: the other one may be gone."""
    groups: dict[tuple[tuple[str, ...], str], dict[int, list[FileLayer]]] = {}
    for layer in layers:
        for depth, key in enumerate(layer.keys):
            base = key.rstrip("0123456789")
            if "/" not in key and base != key and key != "0":
                number = int(key[len(base) :])
                group = groups.setdefault((layer.keys[:depth], base), {})
                group.setdefault(number, []).append(layer)
    found: dict[int, str] = {}
    for (around, base), members in groups.items():
        start = min(members) if min(members) > 2 else 1
        missing = [n for n in range(start, max(members)) if n not in members]
        if missing and base:
            text = _GAP.format("/".join((*around, f"{base}{missing[0]}")))
            found |= {id(layer): text for group in members.values() for layer in group}
    return found


def _gaps(layers: Sequence[FileLayer]) -> tuple[dict[int, str], dict[int, str]]:
    lists: dict[tuple[tuple[str, ...], str], dict[str, _Members]] = {}
    for layer in layers:
        for depth, key in enumerate(layer.keys):
            listed, _, member = key.rpartition("/")
            base, number = split_number(member)
            if listed:
                classes = lists.setdefault((layer.keys[:depth], listed), {})
                classes.setdefault(base, {}).setdefault(number, []).append(layer)
    found: dict[int, str] = {}
    moved: dict[int, str] = {}
    for (around, listed), classes in lists.items():
        lacking = {base: max(rows) + 1 - len(rows) for base, rows in classes.items()}
        before = _before(layers, around, listed) if any(lacking.values()) else []
        for base, rows in classes.items():
            there = [_parts(group, len(around)) for group in rows.values()]
            alike = sum(
                all(len(layer.keys) > len(around) + 1 for layer in group)
                if base in _MODELS
                else _parts(group, len(around)) in there
                for group in before
            )
            if lacking[base]:
                missing = next(n for n in range(max(rows) + 1) if n not in rows)
                member = f"{base}_{missing}" if missing else base
                text = _GAP.format("/".join((*around, listed, member)))
                is_moved = lacking[base] <= alike and sum(lacking.values()) <= len(before)
                for layer in (layer for group in rows.values() for layer in group):
                    (moved if is_moved else found)[id(layer)] = text
    return found, moved


def _before(
    layers: Sequence[FileLayer], around: tuple[str, ...], listed: str
) -> list[list[FileLayer]]:
    """What the model that has the list holds elsewhere, in attributes and lists before it."""
    found: dict[str, list[FileLayer]] = {}
    for layer in layers:
        if layer.keys[: len(around)] == around and len(layer.keys) > len(around):
            key = layer.keys[len(around)]
            if key.split("/")[0] < listed:
                found.setdefault(key, []).append(layer)
    return list(found.values())


def _parts(group: Sequence[FileLayer], depth: int) -> list[tuple[tuple[str, ...], list[int]]]:
    """What is below a step, to compare it with others: paths and ranks of the arrays."""
    return sorted(
        (layer.keys[depth + 1 :], [len(weight.shape) for weight in layer.weights])
        for layer in group
    )
