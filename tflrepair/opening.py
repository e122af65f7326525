"""Opening files that others made: regular files only, and never waiting.

A FIFO would make us wait for ever, a device could be read without end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tflrepair.errors import BadFileError
from tflrepair.wording import plural

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


def kind_of(mode: int) -> str:
    """What a file of ``st_mode`` is, in words; empty for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    return next((words for test, words in _KINDS if test(mode)), "a special file")


def mode_of(path: str | os.PathLike[str]) -> int:
    """``st_mode`` of what ``path`` leads to; 0 where nothing is, or nothing may be looked at.

    Python 3.11 raises in ``Path.exists`` and its kin for folders that may not be searched and for
    names that are too long.
    """
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` leads to a folder that can be seen."""
    return stat.S_ISDIR(mode_of(path))


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` leads to a regular file that can be seen."""
    return stat.S_ISREG(mode_of(path))


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
        hint = "addresses are read for models only; download it first" if "://" in name else None
        raise BadFileError("there is no such file", where=name, hint=hint) from None
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


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths lead to one file, by whatever names; False if either leads nowhere."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False
