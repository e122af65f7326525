"""Inputs for a run: made up from the model, or taken from an .npz file or a mapping."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tflrepair.errors import BadFileError, UserError
from tflrepair.execution.entries import RunTarget, RunTensor
from tflrepair.format.types import NUMPY_TYPES, element_count
from tflrepair.opening import open_regular
from tflrepair.views.quantized import quantize
from tflrepair.wording import plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What we are willing to make up for one entry. Real models stay far below; a damaged one may
# ask for more memory than there is.
_MOST_BYTES = 1 << 30

# An archive may unpack to this many bytes, or to so many times its own.
_UNPACKED, _PACKING = 64 << 20, 50

SEED = 20240

Source = str | os.PathLike[str] | Mapping[str, "NDArray[Any]"]


def cannot_make_up(entry: RunTarget) -> str | None:
    """Why no inputs can be made up for ``entry``; None if they can."""
    total = 0
    for port in entry.inputs:
        dtype = port.tensor.dtype
        if dtype == "string":
            return f"needs a string input ({port.name})"
        if dtype not in NUMPY_TYPES:
            return f"needs an input of type {dtype} ({port.name})"
        count = element_count(shape(port))
        total += (_MOST_BYTES if count is None else count) * 16
        if total > _MOST_BYTES:
            return f"needs inputs of more than {_MOST_BYTES >> 30} GB ({port.text})"
    return None


def shape(port: RunTensor) -> tuple[int, ...]:
    """The tensor's shape with 1 for each open dimension."""
    return tuple(1 if size < 0 else size for size in port.tensor.shape)


def zeros(entry: RunTarget) -> dict[str, NDArray[Any]]:
    import numpy as np

    return {port.name: np.zeros(shape(port), port.tensor.dtype) for port in entry.inputs}


def random(entry: RunTarget, seed: int = SEED) -> dict[str, NDArray[Any]]:
    """Seeded values that most models can digest.

    Floats are uniform in [0, 1): images, probabilities and arguments of log and sqrt. 8-bit
    integers are 0 to 127 (quantised data), wider ones 0 or 1, since they are often indices.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    return {port.name: _random(rng, port) for port in entry.inputs}


def _random(rng: np.random.Generator, port: RunTensor) -> NDArray[Any]:
    import numpy as np

    dtype, size = np.dtype(port.tensor.dtype), shape(port)
    if dtype.kind == "f":
        return rng.random(size).astype(dtype)
    if dtype.kind == "c":
        return (rng.random(size) + 1j * rng.random(size)).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, size).astype(dtype)
    return rng.integers(0, 128 if dtype.itemsize == 1 else 2, size).astype(dtype)


def read(source: Source, what: str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, or of a mapping. ``what`` names the option in messages.

    Raises:
        BadFileError: the file cannot be read, or holds pickled objects.
    """
    import numpy as np

    if isinstance(source, Mapping):
        return {name: np.asarray(value) for name, value in source.items()}
    path = os.fspath(source)
    hint = "write it with numpy.savez(path, name=array)"
    try:
        with open_regular(path) as stream:
            _check_unpacking(stream, path)
            if not stream.read(8).startswith((b"PK", b"\x93NUMPY")):
                raise BadFileError(f"{what} is not an .npz file", where=path, hint=hint)
            stream.seek(0)
            found = np.load(stream, allow_pickle=False)
            if isinstance(found, np.lib.npyio.NpzFile):
                return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadFileError(f"{what} cannot be read: {reason}", where=path, hint=hint) from None
    raise BadFileError(f"{what} is a single array, not an .npz file", where=path, hint=hint)


def _check_unpacking(stream: BinaryIO, path: str) -> None:
    """Raises BadFileError for an archive that would grow as no inputs do (see the limits above)."""
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        return
    with zipfile.ZipFile(stream) as archive:
        rows = archive.infolist()
    stream.seek(0)
    packed, whole = (sum(getattr(r, n) for r in rows) for n in ("compress_size", "file_size"))
    if whole > max(_UNPACKED, packed * _PACKING):
        raise BadFileError(
            f"would grow from {packed} to {plural(whole, 'byte')}; above {_UNPACKED >> 20} MB "
            "at most "
            f"{_PACKING} times as much is unpacked",
            where=path,
            hint="write it with numpy.savez, which does not pack",
        )


def select(
    given: Mapping[str, NDArray[Any]], entry: RunTarget, ports: tuple[RunTensor, ...]
) -> dict[str, NDArray[Any]]:
    """Those of ``given`` that are meant for ``ports``; ``signature/name`` goes before ``name``."""
    found = {}
    for port in ports:
        for name in (f"{entry.label}/{port.name}", port.name):
            if name in given:
                found[port.name] = given[name]
                break
    return found


def fit(values: Mapping[str, NDArray[Any]], entry: RunTarget) -> dict[str, NDArray[Any]]:
    """``values`` (one for each input of ``entry``) in the tensors' dtypes.

    Floats for a quantized input are quantized as its scale says.

    Raises:
        UserError: a shape does not fit, or a value would not survive the conversion.
    """
    return {port.name: _fit(values[port.name], port, entry) for port in entry.inputs}


def _fit(value: NDArray[Any], port: RunTensor, entry: RunTarget) -> NDArray[Any]:
    import numpy as np

    sizes, dtype = port.tensor.shape, port.tensor.dtype
    place = f"input {port.name} of {entry.label}"
    # An empty shape may mean "unknown"; the runtime then judges.
    known = bool(sizes) or port.tensor.has_rank
    if known and (
        len(sizes) != value.ndim
        or any(size not in (-1, got) for size, got in zip(sizes, value.shape, strict=True))
    ):
        got = ", ".join(map(str, value.shape))
        raise UserError(f"{place} has shape [{got}]", hint=f"expected: {port.text}")
    if dtype == "string":
        return _bytes(value, place)
    if dtype not in NUMPY_TYPES:
        raise UserError(f"{place} is of type {dtype}, which numpy does not have")
    value = quantize(value, port.tensor)
    if not np.can_cast(value.dtype, dtype, "same_kind"):
        raise UserError(f"{place} is of type {value.dtype}", hint=f"expected: {port.text}")
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(value.astype(dtype)).reshape(value.shape)
    if result.dtype.kind in "iu" and not np.array_equal(result, value):
        raise UserError(f"{place} has values outside {dtype}", hint=f"expected: {port.text}")
    return result


def _bytes(value: NDArray[Any], place: str) -> NDArray[Any]:
    """Strings as numpy's bytes type, the one that runtimes take."""
    import numpy as np

    if value.dtype.kind == "U":
        return np.char.encode(value, "utf-8")
    if value.dtype.kind == "S":
        return value
    raise UserError(f"{place} is of type {value.dtype}", hint="expected: strings")
