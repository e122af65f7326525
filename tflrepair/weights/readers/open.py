"""Opening a source of weights; what it is shows in its content, not in its suffix."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.opening import is_folder, mode_of, open_regular
from tflrepair.weights.native.client import LibraryFile
from tflrepair.weights.readers import (
    keras3,
    keras_file,
    legacy_h5,
    named,
    npz,
    sharded,
    tensorflow_files,
    tflite,
    zips,
)
from tflrepair.weights.types.weight import Source

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_KNOWN = (
    "a Keras file (.keras, .weights.h5, .weights.json, .h5), .npz, .safetensors, another .tflite, "
    "a SavedModel folder or a TensorFlow checkpoint's prefix"
)


def open_weights(source: str | os.PathLike[str] | Mapping[str, Any] | Any) -> Source:
    """The arrays of a source of weights; none of them is read yet.

    Args:
        source: a path, a dict of arrays by variable name, or a live Keras model.

    Raises:
        BadFileError: there is no such file, it is damaged, or it holds no weights.
        UnsupportedError: reading it needs a package that is not installed.
        UserError: an object that is not a source of weights.
    """
    if isinstance(source, Mapping):
        return named.mapping(source)
    if not isinstance(source, (str, os.PathLike)):
        return named.keras_model(source)
    label = os.fspath(source)
    path = Path(label)
    if is_folder(path):
        if tensorflow_files.is_saved_model(path):
            return tensorflow_files.saved_model(label)
        raise BadFileError("is a folder, but not a SavedModel", where=label, hint=f"give {_KNOWN}")
    if not mode_of(path) and tensorflow_files.is_checkpoint(label):
        return tensorflow_files.checkpoint(label)
    return _file(label)


def _file(label: str) -> Source:
    head, tail, size = _ends(label)
    if head.startswith(_HDF5):
        return _hdf5(label)
    if head.startswith(_ZIP):
        return _zip(label)
    if head[4:8] == b"TFL3":
        return tflite.source(label)
    if _is_safetensors(head, size):
        return named.safetensors(label)
    if sharded.looks_like(head):
        return sharded.source(label)
    if tensorflow_files.is_old_checkpoint(tail):
        return tensorflow_files.checkpoint(label)
    hint = f"give {_KNOWN}"
    raise BadFileError("is not a recognized weights file", where=label, hint=hint)


def _ends(label: str) -> tuple[bytes, bytes, int]:
    """The first and the last 64 bytes of a file, and its size."""
    with open_regular(label) as stream:
        try:
            head = stream.read(64)
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 64))
            tail = stream.read(64)
        except OSError as error:
            raise BadFileError(f"cannot be read: {error.strerror}", where=label) from None
    if not size:
        raise BadFileError("is empty (0 bytes)", where=label)
    return head, tail, size


def _hdf5(label: str) -> Source:
    file = LibraryFile(Path(label), label, "hdf5")
    if legacy_h5.looks_like(file):
        return legacy_h5.source(file)
    if keras3.looks_like(file):
        return keras3.source(file)
    if not file.arrays:
        raise BadFileError("is an HDF5 file, but holds no arrays of numbers", where=label)
    return named.hdf5(file)


def _zip(label: str) -> Source:
    archive = zips.open_archive(label, label)
    names = set(archive.namelist())
    if keras_file.WEIGHTS in names:
        return keras_file.source(archive, label)
    if names and all(name.endswith(".npy") for name in names):
        return npz.source(archive, label)
    raise BadFileError("is a ZIP archive, but neither .keras nor .npz", where=label)


def _is_safetensors(head: bytes, size: int) -> bool:
    """The format begins with the length of its JSON header, then the header."""
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and head[8:9] == b"{" and 8 + length <= size
