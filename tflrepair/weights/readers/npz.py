"""``.npz``: name -> array. Never unpickles."""

from __future__ import annotations

import zipfile
from functools import partial
from math import prod
from typing import IO

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.weights.readers.named import named
from tflrepair.weights.readers.zips import open_member
from tflrepair.weights.types.weight import Array, Source


def source(archive: zipfile.ZipFile, label: str) -> Source:
    """The arrays of an ``.npz``; each one's name is the variable's name.

    Raises:
        BadFileError: a member is no .npy file, holds Python objects, or declares more bytes
            than it has.
    """
    weights = []
    for info in archive.infolist():
        if info.is_dir():
            continue
        name = info.filename.removesuffix(".npy")
        with open_member(archive, info, label) as stream:
            shape, dtype, _ = _header(stream, info.filename, info.file_size, label)
        weights.append(named(label, name, shape, dtype, partial(_read, archive, info, label)))
    return Source(label, "NumPy archive", tuple(weights))


def _header(
    stream: IO[bytes], name: str, size: int, label: str
) -> tuple[tuple[int, ...], str, bool]:
    """Shape, dtype and Fortran order from the head of a .npy member of ``size`` bytes."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = npy.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = npy.read_array_header_2_0(stream)
        else:
            raise BadFileError(f"{name} is of .npy version {version}")
        if dtype.hasobject or dtype.kind not in "biufc":
            raise BadFileError(f"{name} holds {dtype}, not numbers")
        if any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != size - stream.tell():
            raise BadFileError(f"{name} declares shape {shape}, its size does not fit")
    except TflRepairError as error:
        raise error.within(label) from None
    except Exception as error:  # numpy raises ValueError, SyntaxError, EOFError, ...
        raise BadFileError(f"{name} is no .npy file: {error}", where=label) from None
    return tuple(int(n) for n in shape), dtype.name, bool(fortran)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str) -> Array:
    import numpy as np

    with open_member(archive, info, label) as stream:
        _header(stream, info.filename, info.file_size, label)
    with open_member(archive, info, label) as stream:
        try:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        except Exception as error:
            raise BadFileError(f"{info.filename} cannot be read: {error}", where=label) from None
    return array
