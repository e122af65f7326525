"""Layers of a file whose look-alikes may be missing from it.

Keras numbers the members of a list of layers from 0 without a gap (``layers/dense``,
``layers/dense_1``; keras/src/saving/saving_lib.py, ``_save_container_state``). Where one is
missing, somebody took it out, and what is left of its class may fit in its place.
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
_GAP = "the file lacks {!r}, which may be what fits"


def incomplete(layers: Sequence[FileLayer], source: Source | None = None) -> dict[int, str]:
    """``id`` of a layer -> what the file lacks beside it."""
    return _gaps(layers) | (_without_arrays(layers, source) if source is not None else {})


def _without_arrays(layers: Sequence[FileLayer], source: Source) -> dict[int, str]:
    """A file may also list a layer of a class that has weights, and hold nothing for it."""
    listed = {kind: name or kind for kind, name in source.weightless}
    if source.architecture is not None:
        paths = {"/".join(layer.keys[:n]) for layer in layers for n in range(len(layer.keys) + 1)}
        names = {name for layer in layers for name in layer.names}
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


def _gaps(layers: Sequence[FileLayer]) -> dict[int, str]:
    members: dict[tuple[str, str], dict[int, list[FileLayer]]] = {}
    for layer in layers:
        for depth, key in enumerate(layer.keys):
            listed, _, member = key.rpartition("/")
            base, number = split_number(member)
            if listed:
                path = "/".join((*layer.keys[:depth], listed))
                members.setdefault((path, base), {}).setdefault(number, []).append(layer)
    found: dict[int, str] = {}
    for (path, base), rows in members.items():
        missing = next((n for n in range(max(rows) + 1) if n not in rows), None)
        if missing is not None:
            text = _GAP.format(f"{path}/{base}_{missing}" if missing else f"{path}/{base}")
            found |= {id(layer): text for group in rows.values() for layer in group}
    return found
