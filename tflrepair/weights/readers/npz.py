"""``.npz``: name -> array. Never unpickles."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from math import prod
from typing import IO, TYPE_CHECKING, Any

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.weights.readers import zips
from tflrepair.weights.readers.zips import open_member
from tflrepair.weights.types.layer_names import split_path
from tflrepair.weights.types.pieces import PIECE
from tflrepair.weights.types.weight import Array, Source, Weight
from tflrepair.wording import plural

if TYPE_CHECKING:
    import numpy as np


def source(archive: zipfile.ZipFile, label: str) -> Source:
    """The arrays of an ``.npz``; each one's name is the variable's name.

    Raises:
        BadFileError: a member is not an .npy file, holds Python objects, or declares more bytes
            than it has.
    """
    weights = []
    for info in archive.infolist():
        if info.is_dir():
            continue
        name = info.filename.removesuffix(".npy")
        with open_member(archive, info, label) as stream:
            shape, descr, _ = _header(stream, info.filename, info.file_size, label)
            dtype = descr.name
        layer, role = split_path(name)
        pieces = partial(_pieces, archive, info, label)
        weights.append(Weight(label, name, shape, dtype, layer=layer, role=role, stream=pieces))
    return Source(label, "NumPy archive", tuple(weights), named=True)


def _header(
    stream: IO[bytes], name: str, size: int, label: str
) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
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
            raise BadFileError(f"{name} declares shape {shape}, which does not fit its size")
    except TflRepairError as error:
        raise error.within(label) from None
    except Exception as error:  # numpy raises ValueError, SyntaxError, EOFError, ...
        raise BadFileError(f"{name} is not an .npy file: {error}", where=label) from None
    return tuple(int(n) for n in shape), dtype, bool(fortran)


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str) -> Iterator[Array]:
    """The elements in row-major order; an array in column-major order is read whole."""
    import numpy as np

    with open_member(archive, info, label) as stream:
        shape, dtype, fortran = _header(stream, info.filename, info.file_size, label)
        left = prod(shape) * dtype.itemsize
        if fortran and len(shape) > 1:
            zips.check_unpacking(info, label)
            whole: Array = np.frombuffer(_exactly(stream, left), dtype)
            yield whole.reshape(shape, order="F").ravel(order="C")
            return
        while left:
            size = min(left, PIECE // dtype.itemsize * dtype.itemsize)
            yield np.frombuffer(_exactly(stream, size), dtype)
            left -= size


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise EOFError(f"ends {plural(count - len(data), 'byte')} early")
    return data
