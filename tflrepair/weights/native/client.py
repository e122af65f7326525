"""Files of weights that a native library reads: in a child process, within limits.

A crash, a loop without end or a demand for memory of the library is the child's; here it is an
error that names the file.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any, cast

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.opening import open_regular
from tflrepair.processes import children, ending
from tflrepair.weights.native.stamp import stamp
from tflrepair.weights.types.pieces import PIECE
from tflrepair.weights.types.weight import Array, Weight

WORKER = Path(__file__).with_name("worker.py")
MEMORY = 224 << 20  # bytes of private memory; 52 MB of it are Python's, numpy's and h5py's own
_WAIT = 600.0  # seconds without an answer: the disk stands still, or CPU time cannot be limited
_IDLE = 2  # children kept for the next request

# kind -> (what such files are called, the package that reads them)
_KINDS = {
    "hdf5": ("HDF5", "h5py"),
    "safetensors": (".safetensors", "safetensors"),
    "saved_model": ("SavedModel", "tflrepair[tf]"),
    "checkpoint": ("checkpoint", "tflrepair[tf]"),
}
# TensorFlow's own 260 MB come on top, and it holds an array whole, twice while it hands it out
_TENSORFLOW = ("saved_model", "checkpoint")
_TENSORFLOW_MEMORY = 448 << 20
_TENSORFLOW_STEP = 64 << 20

_idle: list[_Child] = []
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
        size = sum(_size(part) for part in {path, *parts})
        weakref.finalize(self, _end_idle_without_files)  # before the set's own reference: the
        _files.add(self)  # newest is told first
        self.label = label
        self._request = {
            "file": str(path.absolute()),
            "kind": kind,
            "member": member,
            "stamp": stamp(path),
            "size": size,
            "memory": _tensorflow_memory(size) if kind in _TENSORFLOW else MEMORY,
        }
        found: Any = None
        for tag, data in self._ask({"do": "list"}, f"is not a readable {_KINDS[kind][0]} file"):
            if tag == b"J":
                found = json.loads(data)
        self.groups: dict[str, dict[str, Any]] = found["groups"]
        self.skipped: list[str] = found["skipped"]
        self.names: dict[str, str] | None = found.get("names")
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
            yield from _ask({**self._request, **request})
        except _Refused as error:
            if error.kind in ("ModuleNotFoundError", "ImportError"):
                package = _KINDS[str(self._request["kind"])][1]
                raise UnsupportedError(
                    f"reading it needs the package {package}",
                    where=self.label,
                    hint=f"run `pip install {package}`",
                ) from None
            text = error.text if error.kind == "BadFileError" else f"{what}: {error.text}"
            raise BadFileError(text, where=self.label) from None


def _tensorflow_memory(size: int) -> int:
    """In steps, so that files of about one size share a child: TensorFlow takes 3 s to import."""
    return _TENSORFLOW_MEMORY + -(-2 * size // _TENSORFLOW_STEP) * _TENSORFLOW_STEP


def _size(path: Path) -> int:
    """Bytes of a regular file. Raises BadFileError."""
    with open_regular(path) as stream:
        return os.fstat(stream.fileno()).st_size


def _bfloat16(label: str) -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise UnsupportedError(
            "bfloat16 needs the package ml_dtypes", where=label, hint="run `pip install ml_dtypes`"
        ) from None
    return ml_dtypes.bfloat16


class _Refused(Exception):
    """The child's error, or its death."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class _Child:
    """One child process and its pipes. ``memory`` is its limit, in bytes."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        package = Path(__file__).parents[3]
        paths = [str(package), os.environ.get("PYTHONPATH", "")]
        # one thread: a pool of them reserves memory that counts against the limit
        more = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self.process = children.start(
            children.command(WORKER, [], memory=memory),
            env={**os.environ, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def frames(self, request: dict[str, Any]) -> Iterator[tuple[bytes, bytearray]]:
        """The answer to one request. Raises _Refused."""
        requests, answers = (
            cast(IO[bytes], self.process.stdin),
            cast(IO[bytes], self.process.stdout),
        )
        with contextlib.suppress(OSError):  # it has died; reading tells
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
        guard = threading.Timer(_WAIT + request.get("patience", 0), self.process.kill)
        guard.daemon = True
        guard.start()
        try:
            yield from self._answer(answers)
        finally:
            guard.cancel()

    def _answer(self, answers: IO[bytes]) -> Iterator[tuple[bytes, bytearray]]:
        while True:
            head = self._read(answers, 9)
            data = self._read(answers, int.from_bytes(head[1:], "little"))
            tag = bytes(head[:1])
            if tag == b".":
                return
            if tag == b"E":
                raise _Refused(*json.loads(data))
            yield tag, data

    def _read(self, stream: IO[bytes], count: int) -> bytearray:
        data = bytearray(count)
        view, done = memoryview(data), 0
        while done < count:
            got = stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                raise _Refused("BadFileError", self._death())
            done += got
        return data

    def _death(self) -> str:
        name = ending.signal_name(self.process.wait())
        if name in ("SIGPROF", "SIGXCPU"):
            return "takes longer to read than a file of its size should: damaged or malicious"
        return f"the library that reads it crashed ({name}): the file is damaged or malicious"


def _ask(request: dict[str, Any]) -> Iterator[tuple[bytes, bytearray]]:
    memory = request["memory"]
    try:
        child = next((row for row in _idle if row.memory == memory), None) or _Child(memory)
        if child in _idle:
            _idle.remove(child)
        if child.process.poll() is not None:  # its parent thread may have ended, and it with it
            children.end(child.process)
            child = _Child(memory)
    except OSError as error:
        raise UnsupportedError(f"no child process can be started: {error}") from None
    whole = False
    try:
        yield from child.frames(request)
        whole = True
    except _Refused:
        whole = child.process.poll() is None  # it said no, and is ready for the next
        raise
    finally:
        if whole and len(_idle) < _IDLE:
            _idle.append(child)
        else:
            children.end(child.process)


def _end_idle_without_files() -> None:
    """A child keeps the file open that it read last; nobody needs it any more."""
    if not _files:
        _end_idle()


@atexit.register
def _end_idle() -> None:
    while _idle:
        children.end(_idle.pop().process)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_idle.clear)
