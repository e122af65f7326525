"""Files of weights that a native library reads: in a child process, within limits.

A crash, a loop without end or a demand for memory of the library is the child's; here it is an
error that names the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError, UserError
from tflrepair.opening import open_regular
from tflrepair.weights.native import pool
from tflrepair.weights.native.stamp import stamp
from tflrepair.weights.types.pieces import PIECE
from tflrepair.weights.types.weight import Array, Weight

# kind -> (what such files are called, the package that reads them)
_KINDS = {
    "hdf5": ("HDF5", "h5py"),
    "safetensors": (".safetensors", "safetensors"),
    "saved_model": ("SavedModel", "tensorflow"),
    "saved_model_graph": ("SavedModel", "tensorflow"),
    "checkpoint": ("checkpoint", "tensorflow"),
}
# TensorFlow's own 260 MB come on top, and it holds an array whole, twice while it hands it out
_TENSORFLOW = ("saved_model", "saved_model_graph", "checkpoint")
_TENSORFLOW_MEMORY = 448 << 20
_TENSORFLOW_STEP = 64 << 20
# https://protobuf.dev/programming-guides/proto-limits/
_PROTOCOL_BUFFERS = ("saved_model", "saved_model_graph")
_LARGEST_MESSAGE = 2**31 - 1
# A request costs as much as reading 100 KB, and matching and writing both read each array: small
# ones, as most are, are read together, once, and kept.
_SMALL = 1 << 16  # elements of an array
_TOGETHER = 1 << 20  # elements of all that are kept of a file

_files: weakref.WeakSet[LibraryFile] = weakref.WeakSet()


@dataclass(frozen=True)
class LibraryArray:
    """A numeric array in a file: its path there, shape and numpy's name of its dtype."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    file: LibraryFile = field(repr=False, compare=False)

    def pieces(self) -> Iterator[Array]:
        return self.file.pieces(self)

    @property
    def count(self) -> int:
        """Its number of elements."""
        return prod(self.shape)

    @property
    def patience(self) -> float:
        """Seconds to wait for it beyond those for any answer: 1 MB/s."""
        return self.count / 250_000

    def weight(self, **more: Any) -> Weight:
        """A Weight that reads this array."""
        facts = {"path": self.path, **more}
        return Weight(
            source=self.file.label,
            shape=self.shape,
            dtype=self.dtype,
            stream=partial(self.file.pieces, self),
            **facts,
        )


class LibraryFile:
    """A listed file.

    Args:
        kind: ``hdf5``, ``safetensors``, ``saved_model`` (its .pb) or ``checkpoint`` (its index).
        member: name of the HDF5 file inside the ZIP archive ``path``.
        parts: other files that belong to it.

    Attributes:
        groups: attributes by path of the group (HDF5), texts and lists of texts.
        arrays, skipped: what holds numbers, and the paths of what does not.
        names: of a SavedModel, shared name -> array; of a checkpoint, array -> variable's name,
            None where it has no object graph.

    Raises:
        BadFileError: no such file, damaged, it points outside itself, or reading it crashes or
            takes more time or memory than a file of its size can need.
        UnsupportedError: the library is not installed, or no child process can be started.
    """

    def __init__(
        self,
        path: Path,
        label: str,
        kind: str,
        member: str | None = None,
        parts: Sequence[Path] = (),
    ) -> None:
        self._request = _request(path, kind, member, parts)
        gone = weakref.finalize(self, _close_without_files)  # before the set's own reference:
        gone.atexit = False  # the newest is told first
        _files.add(self)
        self.label = label
        found = _listed(self._request, label)
        self.groups: dict[str, dict[str, Any]] = found["groups"]
        self.skipped: list[str] = found["skipped"]
        self.names: dict[str, str] | None = found.get("names")
        self._rows: list[tuple[str, list[int], str]] = found["arrays"]
        self._kept: dict[str, Array] | None = None

    @property
    def arrays(self) -> tuple[LibraryArray, ...]:
        """Made anew each time: kept, they and the file would keep each other alive."""
        return tuple(
            LibraryArray(path, tuple(shape), dtype, self) for path, shape, dtype in self._rows
        )

    def pieces(self, array: LibraryArray) -> Iterator[Array]:
        """The elements of ``array`` in row-major order, as flat arrays of some megabytes."""
        if array.count <= _SMALL and (kept := self._small().get(array.path)) is not None:
            yield kept
            return
        yield from (piece for _, piece in self._read((array,)))

    def _small(self) -> dict[str, Array]:
        """The smallest arrays, by path; none where the file has changed since it was listed.

        What cannot be read is left out: whoever needs it asks for it alone, and is told why.
        """
        try:
            if stamp(Path(self._request["file"])) != self._request["stamp"]:
                return {}
        except OSError:
            return {}
        if self._kept is None:
            self._kept, wanted, room = {}, set(), _TOGETHER
            for array in sorted(self.arrays, key=lambda array: array.count):
                if array.count <= min(_SMALL, room):
                    wanted.add(array.path)
                    room -= array.count
            with contextlib.suppress(BadFileError, UnsupportedError):
                self._kept.update(self._read([a for a in self.arrays if a.path in wanted]))
        return self._kept

    def _read(self, arrays: Sequence[LibraryArray]) -> Iterator[tuple[str, Array]]:
        """(path, piece) of each array, one after the other."""
        import numpy as np

        dtype: Any = None
        coming = iter(arrays)
        what = f"{arrays[0].path} cannot be read"
        request = {
            "do": "read",
            "paths": [array.path for array in arrays],
            "piece": PIECE,
            "patience": sum(array.patience for array in arrays),
        }
        for tag, data in _ask({**self._request, **request}, self.label, what):
            if tag == b"J":
                array, dtype = next(coming), np.dtype(json.loads(data)["dtype"])
            else:
                piece: Array = np.frombuffer(data, dtype)
                bfloat16 = array.dtype == "bfloat16"
                yield array.path, piece.view(_bfloat16(self.label)) if bfloat16 else piece


def listing(path: Path, label: str, kind: str) -> Any:
    """What the child's reader lists of a file that has no arrays to be read.

    Raises BadFileError and UnsupportedError, as ``LibraryFile``.
    """
    return _listed(_request(path, kind), label)


def _request(
    path: Path, kind: str, member: str | None = None, parts: Sequence[Path] = ()
) -> dict[str, Any]:
    if kind in _PROTOCOL_BUFFERS and _size(path) > _LARGEST_MESSAGE:
        raise BadFileError(
            f"has more than {_LARGEST_MESSAGE} bytes: it is no protocol buffer", where=str(path)
        )
    size = sum(_size(part) for part in {path, *parts})
    return {
        "file": str(path.absolute()),
        "kind": kind,
        "member": member,
        "stamp": stamp(path),
        "size": size,
        "memory": _tensorflow_memory(size) if kind in _TENSORFLOW else pool.MEMORY,
    }


def _listed(request: dict[str, Any], label: str) -> Any:
    what = f"is not a readable {_KINDS[request['kind']][0]} file"
    found: Any = None
    for tag, data in _ask({**request, "do": "list"}, label, what):
        if tag == b"J":
            found = json.loads(data)
    return found


def _ask(request: dict[str, Any], label: str, what: str) -> Iterator[tuple[bytes, bytearray]]:
    try:
        yield from pool.ask(request)
    except pool.Refused as error:
        if error.kind in ("ModuleNotFoundError", "ImportError"):
            package = _KINDS[str(request["kind"])][1]
            raise UnsupportedError(
                f"reading it needs the package {package}",
                where=label,
                hint=_install(package),
            ) from None
        if error.kind == "UserError":  # of the machine: no room for temporary files
            raise UserError(error.text) from None
        text = error.text if error.kind == "BadFileError" else f"{what}: {error.text}"
        raise BadFileError(text, where=label) from None


def _install(package: str) -> str:
    """The command that installs an optional package; h5py comes with tflrepair itself."""
    extra = {"tensorflow": "tf"}.get(package, package)
    return "pip install h5py" if package == "h5py" else f"pip install 'tflrepair[{extra}]'"


def _size(path: Path) -> int:
    """Bytes of a regular file. Raises BadFileError."""
    with open_regular(path) as stream:
        return os.fstat(stream.fileno()).st_size


def _tensorflow_memory(size: int) -> int:
    """In steps, so that files of about one size share a child: TensorFlow takes 3 s to import."""
    return _TENSORFLOW_MEMORY + -(-2 * size // _TENSORFLOW_STEP) * _TENSORFLOW_STEP


def _bfloat16(label: str) -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise UnsupportedError(
            "bfloat16 needs the package ml_dtypes",
            where=label,
            hint=_install("safetensors"),
        ) from None
    return ml_dtypes.bfloat16


def _close_without_files() -> None:
    """A child keeps the file open that it read last, until nobody needs any file."""
    if not _files:
        pool.close_files()
