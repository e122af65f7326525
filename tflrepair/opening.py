"""Opening files that others made: regular files only, never waiting, never torn by a truncation.

A FIFO would make us wait for ever, a device could be read without end. A file that another process
cuts short while it is mapped ends a process with SIGBUS; so files are read into memory, and only
large ones are mapped (their tables are what is read, and RAM must not grow with the weights).
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tflrepair.errors import BadFileError
from tflrepair.wording import plural

# Larger files are mapped. Below it, a copy costs some 10 ms and cannot change any more.
MAPPED_FROM = 64 << 20

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


def _nothing() -> None:
    pass


# Called before a file is mapped: the command line prepares for SIGBUS here, which ends a process
# whose map another one has cut short. A library leaves that to the program that uses it.
before_mapping: Callable[[], None] = _nothing


class FileMap(mmap.mmap):
    """A file as memory, with a descriptor of the file for those that can do without the memory."""

    descriptor = -1

    @classmethod
    def of(cls, stream: BinaryIO) -> FileMap:
        """The whole file, to be read. Raises OSError, or ValueError for an empty file."""
        whole = cls(stream.fileno(), 0, access=mmap.ACCESS_READ)
        whole.descriptor = os.dup(stream.fileno())
        return whole

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def kind_of(mode: int) -> str:
    """What a file of ``st_mode`` is, in words; empty for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    return next((words for test, words in _KINDS if test(mode)), "a special file")


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; symbolic links are followed.

    Raises:
        BadFileError: there is no such file, it may not be read, or it is a directory, FIFO,
            socket or device.
    """
    name = os.fspath(path)
    # without O_NONBLOCK, opening a FIFO waits for a writer
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        kind = kind_of(Path(name).stat().st_mode)
        if kind:
            raise BadFileError(f"is {kind}, not a regular file", where=name)
        descriptor = os.open(name, flags | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise BadFileError("there is no such file", where=name) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFileError(f"cannot be opened: {reason}", where=name) from None
    kind = kind_of(os.fstat(descriptor).st_mode)  # it may have been exchanged in between
    if kind:
        os.close(descriptor)
        raise BadFileError(f"is {kind}, not a regular file", where=name)
    return os.fdopen(descriptor, "rb")


def read_small(path: str | os.PathLike[str], most: int) -> bytes:
    """All bytes of a regular file of at most ``most`` bytes.

    Raises:
        BadFileError: as ``open_regular``; also a file that is larger, or cannot be read.
    """
    name = os.fspath(path)
    with open_regular(name) as stream:
        try:
            data = stream.read(most + 1)
        except OSError as error:
            raise BadFileError(f"cannot be read: {error.strerror}", where=name) from None
    if len(data) > most:
        raise BadFileError(f"has more than {plural(most, 'byte')}, which is the limit", where=name)
    return data


def contents(path: str | os.PathLike[str]) -> memoryview:
    """The bytes of a regular file: a copy, or a map if it is large.

    Raises:
        BadFileError: as ``open_regular``; also an empty file, or one that cannot be read.
    """
    name = os.fspath(path)
    with open_regular(name) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            if size >= MAPPED_FROM:
                before_mapping()
                return memoryview(FileMap.of(stream))
            data = stream.read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is empty (0 bytes)"
            raise BadFileError(f"cannot be read: {reason}", where=name) from None
    if not data:
        raise BadFileError("is empty (0 bytes)", where=name)
    return memoryview(data)


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths lead to one file, by whatever names; False if either leads nowhere."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False
