"""Keras 3 weights: ``.weights.h5``.

keras/src/saving/saving_lib.py writes each layer's own arrays to ``<path>/vars/<number>``. The
path is made of attribute names; in lists of layers, of the class name and a running number
within the list (``layers/dense_1``). From Keras 3.6 on the group ``vars`` has an attribute
``name``, the name of the layer itself.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.errors import BadFileError
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.weight import Source, Weight

if TYPE_CHECKING:
    from tflrepair.weights.native.client import LibraryArray, LibraryFile

VARS = "vars"


def looks_like(file: LibraryFile) -> bool:
    """Whether some array lies in a group called ``vars``, under a number."""
    return any(_split(row.path) is not None for row in file.arrays)


def source(
    file: LibraryFile, kind: str = "Keras 3 weights file", config: Mapping[str, str] | None = None
) -> Source:
    """All numbered arrays of the file.

    Args:
        config: layer name by path, known from elsewhere, in the order of the model.

    Raises:
        BadFileError: an array has a name that Keras does not write.
    """
    return merged([file], file.label, kind, config)


def merged(
    files: Sequence[LibraryFile], label: str, kind: str, config: Mapping[str, str] | None = None
) -> Source:
    """The arrays of all files as one source.

    Raises:
        BadFileError: an array has a name that Keras does not write, or is in two files.
    """
    owners: dict[str, dict[str, Any]] = {}
    for file in files:
        for path, attributes in file.groups.items():
            if _is(path):
                owners.setdefault(path.rpartition("/")[0], {}).update(attributes)
    ranks = {path: rank for rank, path in enumerate(config or {})}
    weights: dict[str, Weight] = {}
    for row in (row for file in files for row in file.arrays):
        if row.path in weights:
            raise BadFileError(f"{row.path!r} is in two shards", where=label)
        weights[row.path] = _weight(row, owners, config or {}, ranks)
    ordered = sorted(weights.values(), key=lambda weight: (weight.keys, weight.index or 0))
    return Source(label, kind, tuple(ordered))


def _weight(
    row: LibraryArray,
    owners: Mapping[str, Mapping[str, Any]],
    config: Mapping[str, str],
    ranks: Mapping[str, int],
) -> Weight:
    place = _split(row.path)
    if place is None:
        raise BadFileError(
            f"{row.path!r} is not in a group 'vars', as Keras 3 writes them", where=row.file.label
        )
    steps = _steps(place[0], owners)
    layer = _names(steps, owners, config)
    by_flow = [_sorted_by_flow(steps[: n + 1], layer[: n + 1], owners) for n in range(len(steps))]
    return row.weight(
        layer=layer,
        keys=steps,
        index=place[1],
        sorted_steps=tuple(by_flow),
        rank=ranks.get(place[0]),
        plain=steps[:1] != ("optimizer",) and not _is_metric(steps),
    )


def _is_metric(steps: tuple[str, ...]) -> bool:
    """Whether it is state of a metric, which tf-keras saves with the layers."""
    return bool(steps) and steps[0].startswith("metrics/")


def _names(
    steps: tuple[str, ...], owners: Mapping[str, Mapping[str, Any]], config: Mapping[str, str]
) -> tuple[str, ...]:
    """The layers' names down the path, empty where unknown; () where none is known."""
    paths = ["/".join(steps[:n]) for n in range(len(steps) + 1)]
    names = [owners.get(path, {}).get("name") or config.get(path, "") for path in paths]
    return tuple(map(str, names)) if any(names) else ()


def _is(path: str) -> bool:
    return path.rpartition("/")[2] == VARS


def _split(path: str) -> tuple[str, int] | None:
    """``layers/dense/vars/0`` -> ``("layers/dense", 0)``."""
    group, _, number = path.rpartition("/")
    if not _is(group) or not (number.isascii() and number.isdigit() and len(number) < 7):
        return None
    return group.rpartition("/")[0], int(number)


def _steps(path: str, owners: Container[str]) -> tuple[str, ...]:
    """The path cut at each object that has arrays of its own or could have: not at lists.

    ``layers/block/norms/layer_normalization`` -> ``("layers/block", "norms/layer_normalization")``.
    """
    steps: list[str] = []
    done = ""
    for part in path.split("/") if path else ():
        if done and done not in owners:  # a list, or a container in one
            steps[-1] += f"/{part}"
        else:
            steps.append(part)
        done = f"{done}/{part}" if done else part
    return tuple(steps)


def _sorted_by_flow(steps: tuple[str, ...], names: tuple[str, ...], owners: Container[str]) -> bool:
    """Whether the last step is a layer of a Functional or Sequential model.

    Only a Functional model lists its InputLayers; a Sequential one shows by its class or name.
    """
    *outer, last = steps
    if not last.startswith("layers/"):
        return False
    if "/".join([*outer, "layers", "input_layer"]) in owners:
        return True
    kind = outer[-1].rpartition("/")[2] if outer else ""
    return any(split_number(name)[0] == "sequential" for name in (kind, *names[-1:]))
