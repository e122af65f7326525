"""Files mapped into memory, read as streams: no file stays open, nothing is copied."""

from __future__ import annotations

import io
import mmap
from pathlib import Path
from typing import IO, Any

from tflrepair.errors import BadFileError


def mapped(path: str) -> memoryview:
    """The bytes of a file, not read yet.

    Raises:
        BadFileError: it cannot be opened, or is empty.
    """
    try:
        with Path(path).open("rb") as stream:
            return map_stream(stream)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is empty (0 bytes)"
        raise BadFileError(f"cannot be read: {reason}", where=path) from None


def map_stream(stream: IO[bytes]) -> memoryview:
    return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


class View(io.RawIOBase):
    """A read-only stream over bytes in memory."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        data = self._data[self._at : self._at + len(target)]
        target[: len(data)] = data
        self._at += len(data)
        return len(data)
