"""Opening a source of weights; what it is shows in its content, not in its suffix."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from tflrepair.errors import BadFileError
from tflrepair.weights import keras3, npz, zips
from tflrepair.weights.base import Source
from tflrepair.weights.h5 import H5File

_HDF5 = b"\x89HDF\r\n\x1a\n"
_KNOWN = "Keras .weights.h5 and .npz"


def open_weights(path: str | os.PathLike[str]) -> Source:
    """The arrays of a weights file; none of them is read yet.

    Raises:
        BadFileError: there is no such file, it is damaged, or it is no file of weights.
        UnsupportedError: reading it needs a package that is not installed.
    """
    label = os.fspath(path)
    if Path(label).is_dir():
        raise BadFileError(f"is a directory; give a file of weights ({_KNOWN})", where=label)
    try:
        stream = open(label, "rb")  # noqa: SIM115 - stays open as long as its weights
        head = stream.read(16)
        stream.seek(0)
    except OSError as error:
        raise BadFileError(f"cannot be opened: {error.strerror}", where=label) from None
    if head.startswith(_HDF5):
        return _hdf5(stream, label)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return npz.source(zips.open_archive(stream, label), label)
    stream.close()
    raise BadFileError(
        "is no file of weights that we know" if head else "is empty (0 bytes)",
        where=label,
        hint=f"give one of: {_KNOWN}",
    )


def _hdf5(stream: IO[bytes], label: str) -> Source:
    file = H5File(stream, label)
    if keras3.looks_like(file):
        return keras3.source(file)
    raise BadFileError("is an HDF5 file, but holds no Keras weights", where=label)
