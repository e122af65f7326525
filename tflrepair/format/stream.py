"""Bytes in memory, read as a stream: for libraries that want a file, without a copy."""

from __future__ import annotations

import io
from typing import Any


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
