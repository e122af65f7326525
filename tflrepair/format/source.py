"""Where the bytes of a file come from: memory, an open file, or what else is read in pieces.

Everything in here and above asks for bytes by ``read(start, count)``. So a file need not be in
memory, nor even on this machine, and one that is cut short while it is read is an error of ours:
the same file as a memory map would end the process with SIGBUS.
"""

from __future__ import annotations

import io
import os
import threading
import weakref
from typing import Any, BinaryIO, Protocol

from tflrepair.errors import BadFileError
from tflrepair.wording import plural


class ByteSource(Protocol):
    """The bytes of one file, which are the same for as long as it is read.

    Attributes:
        size: how many bytes there are; known from the start, and it does not change.
    """

    @property
    def size(self) -> int: ...

    def read(self, start: int, count: int) -> memoryview:
        """The ``count`` bytes from byte ``start`` on: exactly so many, never fewer.

        Callers ask for bytes within ``size`` only. They ask for pieces of a few kilobytes as long
        as tables are read, in no order, and seldom twice for the same; for values they ask in
        pieces as large as the value. It may be called from several threads.

        Raises:
            BadFileError: the bytes cannot be had (any more): the file was cut short, the disk or
                the connection failed.
        """
        ...


class MemorySource:
    """Bytes in memory. ``read`` copies nothing."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)
        self.size = len(self.data)

    def read(self, start: int, count: int) -> memoryview:
        return _whole(self.data[start : start + count], start, count)


class FileSource:
    """An open regular file, which is closed when nothing uses it any more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        weakref.finalize(self, stream.close)
        self._lock = threading.Lock()  # where there is no pread, the position is shared
        self.size = os.fstat(stream.fileno()).st_size

    def read(self, start: int, count: int) -> memoryview:
        parts, at, end = [], start, start + count
        while at < end:
            part = self._some(at, end - at)
            if not part:
                break
            parts.append(part)
            at += len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        return _whole(memoryview(data), start, count)

    def _some(self, start: int, count: int) -> bytes:
        try:
            if hasattr(os, "pread"):
                return os.pread(self._stream.fileno(), count, start)
            with self._lock:
                self._stream.seek(start)
                return self._stream.read(count)
        except OSError as error:
            raise BadFileError(f"cannot be read: {error.strerror}", where=f"byte {start}") from None


class View(io.RawIOBase):
    """A source read as a stream: for libraries that want a file."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        count = max(0, min(len(target), self._source.size - self._at))
        target[:count] = self._source.read(self._at, count)
        self._at += count
        return count


def _whole(data: memoryview, start: int, count: int) -> memoryview:
    if len(data) != count:
        raise BadFileError(
            f"{plural(count, 'byte was', 'bytes were')} expected at byte {start}, and there "
            f"are {len(data)}",
            where=f"byte {start}",
            hint="the file was cut short while it was read; try again",
        )
    return data
