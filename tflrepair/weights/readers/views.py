"""Files as streams that are read where they are asked for, and close when nobody needs them."""

from __future__ import annotations

import io
import os
from typing import Any

from tflrepair.opening import open_regular


class FileView(io.RawIOBase):
    """A read-only stream over a regular file. Raises as ``open_regular``."""

    def __init__(self, path: str) -> None:
        self._file = -1
        with open_regular(path) as stream:
            self._file = os.dup(stream.fileno())
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        os.lseek(self._file, self._at, os.SEEK_SET)
        data = os.read(self._file, len(target))
        target[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()
