"""Keras 3 weights: ``.weights.h5``.

keras/src/saving/saving_lib.py writes each layer's own arrays to ``<path>/vars/<number>``. The
path is made of attribute names; in lists of layers, of the class name and a running number
within the list (``layers/dense_1``). From Keras 3.6 on the group ``vars`` has an attribute
``name``, the name of the layer itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflrepair.errors import BadFileError
from tflrepair.weights.base import Source, Weight

if TYPE_CHECKING:
    from tflrepair.weights.h5 import H5File

VARS = "vars"


def looks_like(file: H5File) -> bool:
    """Whether some array lies in a group called ``vars``, under a number."""
    return any(_split(row.path) is not None for row in file.datasets)


def source(file: H5File) -> Source:
    """All numbered arrays of the file.

    Raises:
        BadFileError: an array has a name that Keras does not write.
    """
    names = _layer_names(file)
    weights = []
    for row in file.datasets:
        place = _split(row.path)
        if place is None:
            raise BadFileError(
                f"{row.path!r} is not in a group 'vars', as Keras 3 writes them", where=file.label
            )
        keys, index = place
        layer = tuple(names[keys[:n]] for n in range(len(keys) + 1) if keys[:n] in names)
        weights.append(row.weight(layer=layer, keys=keys, index=index))
    return Source(file.label, "Keras 3 weights file", _in_order(weights))


def _split(path: str) -> tuple[tuple[str, ...], int] | None:
    """``layers/dense/vars/0`` -> ``(("layers", "dense"), 0)``."""
    *keys, group, number = ("", *path.split("/"))[-2:] if "/" not in path else path.split("/")
    if group != VARS or not (number.isascii() and number.isdigit() and len(number) < 7):
        return None
    return tuple(key for key in keys if key), int(number)


def _layer_names(file: H5File) -> dict[tuple[str, ...], str]:
    """Layer name by key path, for the groups that carry one."""
    found = {}
    for path, attributes in file.groups.items():
        *keys, last = path.split("/")
        if last == VARS and isinstance(attributes.get("name"), str):
            found[tuple(keys)] = attributes["name"]
    return found


def _in_order(weights: list[Weight]) -> tuple[Weight, ...]:
    return tuple(sorted(weights, key=lambda weight: (weight.keys, weight.index or 0)))
