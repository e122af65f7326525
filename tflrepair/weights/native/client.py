"""Files of weights that a native library reads: in a child process, within limits.

A crash, a loop without end or a demand for memory of the library is the child's; here it is an
error that names the file.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.opening import open_regular
from tflrepair.weights.native import pool
from tflrepair.weights.native.stamp import stamp
from tflrepair.weights.types.pieces import PIECE
from tflrepair.weights.types.weight import Array, Weight

# kind -> (what such files are called, the package that reads them)
_KINDS = {"hdf5": ("HDF5", "h5py"), "safetensors": (".safetensors", "safetensors")}

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
    def patience(self) -> float:
        """Seconds to wait for it beyond those for any answer: 1 MB/s."""
        return prod(self.shape) / 250_000

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
        kind: ``hdf5`` or ``safetensors``.
        member: name of the HDF5 file inside the ZIP archive ``path``.

    Attributes:
        groups: attributes by path of the group (HDF5), texts and lists of texts.
        arrays, skipped: what holds numbers, and the paths of what does not.

    Raises:
        BadFileError: no such file, damaged, it points outside itself, or reading it crashes or
            takes more time or memory than a file of its size can need.
        UnsupportedError: the library is not installed, or no child process can be started.
    """

    def __init__(self, path: Path, label: str, kind: str, member: str | None = None) -> None:
        with open_regular(path):
            pass
        gone = weakref.finalize(self, _close_without_files)  # before the set's own reference:
        gone.atexit = False  # the newest is told first
        _files.add(self)
        self.label = label
        self._request = {
            "file": str(path.absolute()),
            "kind": kind,
            "member": member,
            "stamp": stamp(path),
        }
        found: Any = None
        for tag, data in self._ask({"do": "list"}, f"is not a readable {_KINDS[kind][0]} file"):
            if tag == b"J":
                found = json.loads(data)
        self.groups: dict[str, dict[str, Any]] = found["groups"]
        self.skipped: list[str] = found["skipped"]
        self._rows: list[tuple[str, list[int], str]] = found["arrays"]

    @property
    def arrays(self) -> tuple[LibraryArray, ...]:
        """Made anew each time: kept, they and the file would keep each other alive."""
        return tuple(
            LibraryArray(path, tuple(shape), dtype, self) for path, shape, dtype in self._rows
        )

    def pieces(self, array: LibraryArray) -> Iterator[Array]:
        """The elements of ``array`` in row-major order, as flat arrays of some megabytes."""
        import numpy as np

        dtype: Any = None
        what = f"{array.path} cannot be read"
        request = {"do": "read", "path": array.path, "piece": PIECE, "patience": array.patience}
        for tag, data in self._ask(request, what):
            if tag == b"J":
                dtype = np.dtype(json.loads(data)["dtype"])
            else:
                piece: Array = np.frombuffer(data, dtype)
                yield piece.view(_bfloat16(self.label)) if array.dtype == "bfloat16" else piece

    def _ask(self, request: dict[str, Any], what: str) -> Iterator[tuple[bytes, bytearray]]:
        try:
            yield from pool.ask({**self._request, **request})
        except pool.Refused as error:
            if error.kind in ("ModuleNotFoundError", "ImportError"):
                package = _KINDS[str(self._request["kind"])][1]
                raise UnsupportedError(
                    f"reading it needs the package {package}",
                    where=self.label,
                    hint=f"run `pip install {package}`",
                ) from None
            text = error.text if error.kind == "BadFileError" else f"{what}: {error.text}"
            raise BadFileError(text, where=self.label) from None


def _bfloat16(label: str) -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise UnsupportedError(
            "bfloat16 needs the package ml_dtypes", where=label, hint="run `pip install ml_dtypes`"
        ) from None
    return ml_dtypes.bfloat16


def _close_without_files() -> None:
    """A child keeps the file open that it read last, until nobody needs any file."""
    if not _files:
        pool.close_files()
