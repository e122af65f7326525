"""Layers of a file whose look-alikes may be missing from it.

Keras numbers the members of a list of layers from 0 without a gap (``layers/dense``,
``layers/dense_1``; keras/src/saving/saving_lib.py, ``_save_container_state``). Where one is
missing, somebody took it out, and what is left of its class may fit in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer

_GAP = "the file lacks {!r}, which may be what fits"


def incomplete(layers: Sequence[FileLayer]) -> dict[int, str]:
    """``id`` of a layer -> what the file lacks beside it."""
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
