"""Keras 2's HDF5 files, as Keras 3 and tf-keras still write them: whole model or weights alone.

keras/src/legacy/saving/legacy_h5_format.py: the attribute ``layer_names`` lists the layers, each
layer's group has ``weight_names``, the variables' own names. A whole model has these under
``model_weights``, with the optimizer's variables in ``optimizer_weights``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tflrepair.errors import BadFileError
from tflrepair.weights.readers.architecture import architecture
from tflrepair.weights.readers.keras_file import class_names
from tflrepair.weights.readers.own_classes import described
from tflrepair.weights.types import optimizer_config
from tflrepair.weights.types.layer_names import split_path
from tflrepair.weights.types.weight import Source, Weight

if TYPE_CHECKING:
    from tflrepair.weights.native.client import LibraryArray, LibraryFile

_LAYERS, _WEIGHTS = "layer_names", "weight_names"


def looks_like(file: LibraryFile) -> bool:
    return bool(_root(file) is not None)


def source(file: LibraryFile) -> Source:
    """All arrays that the file's lists name.

    Raises:
        BadFileError: a list names a layer or an array that is not there.
    """
    root = _root(file) or ""
    datasets = {row.path: row for row in file.arrays}
    config = _json(file, "model_config")
    classes = dict(class_names(config))
    sorted_by_flow = _sorted_by_flow(file, root, config)
    weights: list[Weight] = []
    for place, layer in enumerate(_list(file.groups[root], _LAYERS)):
        group = f"{root}/{layer}".strip("/")
        for name in _list(_group(file, group), _WEIGHTS):
            row = _dataset(file, datasets, f"{group}/{name}")
            names, role = _split(name, layer)
            rank = place if sorted_by_flow else None
            kinds = tuple(classes.get(name, "") for name in names) if classes else ()
            facts = {"rank": rank, "place": len(weights), "classes": kinds}
            weights.append(row.weight(layer=names, role=role, **facts))
    if "optimizer_weights" in file.groups:
        for name in _list(file.groups["optimizer_weights"], _WEIGHTS):
            row = _dataset(file, datasets, f"optimizer_weights/{name}")
            names, role = split_path(name)
            weights.append(row.weight(layer=names, keys=("optimizer",), role=role, plain=False))
    kind = "Keras 2 model file" if root else "Keras 2 weights file"
    compiled = _json(file, "training_config").get("optimizer_config")
    return Source(
        file.label,
        kind,
        tuple(weights),
        architecture=architecture(config),
        described=described(config),
        optimizers=tuple(optimizer_config.optimizers(compiled)),
    )


def _split(name: str, layer: str) -> tuple[tuple[str, ...], str]:
    """The layers around a variable, and its role. A layer's own name may have a ``/``."""
    if "/" in layer and name.startswith(f"{layer}/"):
        names, role = split_path(name.removeprefix(f"{layer}/"))
        return (layer, *names), role
    names, role = split_path(name)
    # the name of a model in the model stands in the list of layers only
    return (names if layer in names else (layer, *names)), role


def _root(file: LibraryFile) -> str | None:
    for path in ("model_weights", ""):
        if path in file.groups and any(k.startswith(_LAYERS) for k in file.groups[path]):
            return path
    return None


def _group(file: LibraryFile, path: str) -> Mapping[str, Any]:
    if path not in file.groups:
        raise BadFileError(f"lists a layer {path!r} that it does not hold", where=file.label)
    return file.groups[path]


def _dataset(file: LibraryFile, datasets: Mapping[str, LibraryArray], path: str) -> LibraryArray:
    if path not in datasets:
        raise BadFileError(f"lists an array {path!r} that it does not hold", where=file.label)
    return datasets[path]


def _list(attributes: Mapping[str, Any], name: str) -> list[str]:
    """A list of names; long ones are cut into ``name0``, ``name1``, ..."""
    pieces = [attributes[name]] if name in attributes else []
    while f"{name}{len(pieces)}" in attributes:
        pieces.append(attributes[f"{name}{len(pieces)}"])
    found = []
    for piece in pieces:
        for item in piece:
            found.append(item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item))
    return found


def _json(file: LibraryFile, name: str) -> dict[str, Any]:
    """A config of the model (``model_config``, ``training_config``), if there is a readable one."""
    text = file.groups.get("", {}).get(name)
    try:
        config = json.loads(text) if isinstance(text, (str, bytes)) else {}
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _sorted_by_flow(file: LibraryFile, root: str, config: Mapping[str, Any]) -> bool:
    """Whether the list of layers is a Functional's or Sequential's: the model's own config tells.

    A subclassed model lists its layers as they were made.
    """
    if config:
        return config.get("class_name") in ("Functional", "Sequential", "Model")
    names = _list(file.groups[root], _LAYERS)
    return any(name.startswith("input_") for name in names)
