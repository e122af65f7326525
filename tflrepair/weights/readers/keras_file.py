"""``.keras``: a ZIP with ``model.weights.h5``, ``config.json`` and ``metadata.json``.

The config lists the layers of each Functional and Sequential model in the order in which the
weights file numbers them, with their names; files of Keras before 3.6 have names only here.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.weights.native.client import LibraryFile
from tflrepair.weights.readers import keras3, zips
from tflrepair.weights.readers.architecture import architecture
from tflrepair.weights.readers.own_classes import described, own_classes
from tflrepair.weights.types import optimizer_config
from tflrepair.weights.types.layer_names import numbering, snake_case
from tflrepair.weights.types.weight import Source
from tflrepair.wording import plural

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
_LONGEST_CONFIG = 1 << 22  # JSON takes up to 25 times its size in memory; 1000 layers have 1 MB
_DEEPEST = 50


def source(archive: zipfile.ZipFile, label: str) -> Source:
    """The weights of a ``.keras`` file.

    Raises:
        BadFileError: a part is missing or damaged.
    """
    try:
        weights, config = archive.getinfo(WEIGHTS), archive.getinfo(CONFIG)
    except KeyError as error:
        raise BadFileError(f"is not a .keras file: {error}", where=label) from None
    if config.file_size > _LONGEST_CONFIG:
        raise BadFileError(
            f"its {CONFIG} has {plural(config.file_size, 'byte')}; at most {_LONGEST_CONFIG} "
            "are read",
            where=label,
        )
    if weights.compress_type != zipfile.ZIP_STORED:
        zips.check_unpacking(weights, label)
    with zips.open_member(archive, config, label) as stream:
        text = stream.read()
    try:
        model = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFileError(f"its {CONFIG} is not JSON: {error}", where=label) from None
    names = dict(_names(model, (), 0)) if isinstance(model, dict) else {}
    found = architecture(model) if isinstance(model, dict) else None
    own = own_classes(model) if isinstance(model, dict) else {}
    inside = described(model) if isinstance(model, dict) else ()
    file = LibraryFile(Path(label), label, "hdf5", WEIGHTS)
    compiled = model.get("compile_config") if isinstance(model, dict) else None
    optimizer = compiled.get("optimizer") if isinstance(compiled, dict) else None
    optimizers = tuple(optimizer_config.optimizers(optimizer))
    source_ = keras3.source(file, "Keras model file", names)
    return replace(
        source_, architecture=found, own_classes=own, described=inside, optimizers=optimizers
    )


def _names(
    config: Mapping[str, Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[str, str]]:
    """(path in the weights file, layer's name) for a model and the layers in it."""
    inner = config.get("config")
    if not isinstance(inner, dict) or depth > _DEEPEST:
        return
    name = inner.get("name", config.get("name"))
    if isinstance(name, str):
        yield "/".join(path), name
    layers = inner.get("layers")
    if config.get("class_name") not in ("Functional", "Sequential", "Model") or not isinstance(
        layers, list
    ):
        return
    named = numbering()
    is_sequential = config.get("class_name") == "Sequential"
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
            return
        kind = snake_case(layer["class_name"])
        if is_sequential and kind == "input_layer":
            continue  # Sequential.layers leaves it out
        yield from _names(layer, (*path, "layers", named(kind)), depth + 1)


def class_names(config: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """(layer's name, its class as Keras names layers after it) for a config and all inside."""
    inner = config.get("config")
    if not isinstance(inner, dict) or depth > _DEEPEST:
        return
    name, kind = inner.get("name", config.get("name")), config.get("class_name")
    if isinstance(name, str) and isinstance(kind, str):
        yield name, snake_case(kind)
    layers = inner.get("layers")
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict):
            yield from class_names(layer, depth + 1)
