"""SavedModel folders and checkpoints: what TensorFlow, in a child process, reads of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tflrepair.errors import BadFileError
from tflrepair.opening import is_file
from tflrepair.weights.native.checkpoint import data_files
from tflrepair.weights.native.client import LibraryFile
from tflrepair.weights.types.layer_names import split_path
from tflrepair.weights.types.weight import Source

_PROTO = "saved_model.pb"


def is_saved_model(folder: Path) -> bool:
    return is_file(folder / _PROTO)


def is_checkpoint(label: str) -> bool:
    return is_file(f"{label}.index")


def is_old_checkpoint(data: bytes) -> bool:
    """Whether these bytes end a checkpoint of one file, as tf.raw_ops.Save writes on a device.

    It is a sorted string table, which ends with a fixed number (tensorflow/core/lib/io/format.h,
    ``kTableMagicNumber``).
    """
    return len(data) >= 48 and data[-8:] == (0xDB4775248B80FB57).to_bytes(8, "little")


def saved_model(label: str) -> Source:
    """The variables of a SavedModel by the names that its graph and so the .tflite uses.

    Raises:
        BadFileError: damaged.
        UnsupportedError: TensorFlow is not installed.
    """
    folder = Path(label)
    prefix = folder / "variables" / "variables"
    if not is_checkpoint(str(prefix)):
        raise BadFileError(
            "its checkpoint cannot be read: there is no variables.index", where=label
        )
    parts = (prefix.with_name("variables.index"), *data_files(prefix))
    file = LibraryFile(folder / _PROTO, label, "saved_model", parts=parts)
    arrays = {array.path: array for array in file.arrays}
    weights = []
    for name, key in (file.names or {}).items():
        layer, role = split_path(name)
        weights.append(arrays[key].weight(path=name, layer=layer, role=role))
    return Source(label, "SavedModel", tuple(weights), exact=True)


def checkpoint(label: str) -> Source:
    """The arrays of a checkpoint, by variable name where its object graph has names.

    Raises:
        BadFileError: damaged.
        UnsupportedError: TensorFlow is not installed.
    """
    prefix = Path(label)
    index = Path(f"{label}.index") if is_checkpoint(label) else prefix
    file = LibraryFile(index, label, "checkpoint", parts=data_files(prefix))
    names = file.names or {}
    unique = max(Counter(names.values()).values(), default=1) == 1
    weights = []
    for array in file.arrays:
        text = array.path.partition("/.ATTRIBUTES/")[0]
        layer, role = split_path(names[array.path] if unique and array.path in names else text)
        weights.append(array.weight(layer=layer, role=role))
    return Source(label, "TensorFlow checkpoint", tuple(weights), saved=file.names is None)
