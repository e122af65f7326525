"""Temporary files and folders, and removing those whose owner was killed.

Each is held by a lock that goes with the process. What can be locked has no owner any more.
Windows removes no file that is open, which comes to the same.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tflrepair.errors import UserError

PART = (".tflrepair-", ".part")
_FOLDER, _LOCK = "tflrepair-", ".owner"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_HINT = "set TMPDIR to a writable folder"
_YOUNG = 60.0  # seconds in which a folder may not have its lock yet


def hold(descriptor: int) -> bool:
    """Lock an open file for as long as it is open here; False if another process holds it."""
    try:
        import fcntl
    except ImportError:
        return os.name != "posix"  # Windows removes nothing that is open; elsewhere: cannot be told
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nothing can be told
        return False
    return True


def held_file(path: Path) -> int:
    """A descriptor of a new file that is held from the moment it has its name.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    if os.name != "posix":  # Windows removes no file that is open: nothing is to be held
        return os.open(path, flags, 0o666)
    young = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    descriptor = -1
    try:  # a signal may come at any moment: both names are ours alone
        descriptor = os.open(young, flags | os.O_CLOEXEC, 0o666)
        hold(descriptor)
        young.rename(path)
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        for name in (young, path):
            name.unlink(missing_ok=True)
        raise
    return descriptor


def sweep_parts(folder: Path) -> None:
    """Remove unfinished outputs of ours whose writer is gone from ``folder``."""
    with contextlib.suppress(OSError), os.scandir(folder) as rows:
        for row in rows:
            if not row.name.startswith(PART[0]):
                continue
            if row.name.endswith(PART[1]) or (PART[1] in row.name and not _is_young(row)):
                _remove_if_free(Path(row.path))


def _is_young(row: os.DirEntry[str]) -> bool:
    """Whether what is not held yet may be about to be (see ``held_file``)."""
    return time.time() - row.stat(follow_symlinks=False).st_mtime <= _YOUNG


def _remove_if_free(path: Path) -> bool:
    """Remove the regular file ``path`` of this user if no process holds it."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return False
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return False
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        free = hold(descriptor)
        if free and os.name == "posix":
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    if free and os.name != "posix":
        try:
            path.unlink(missing_ok=True)
        except OSError:  # still open somewhere
            return False
    return free


@contextmanager
def room() -> Iterator[None]:
    """Write temporary files in the block.

    Raises:
        UserError: there is no room for them, on the disk or by a limit.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise UserError(
            f"a temporary file cannot be written: {error.strerror}",
            hint="set TMPDIR to a folder with more room",
        ) from None


def temporary_file() -> IO[bytes]:
    """A file without a name, which goes when it is closed.

    Raises:
        UserError: there is no folder for temporary files that can be written.
    """
    try:
        return tempfile.TemporaryFile(prefix=_FOLDER)
    except OSError as error:
        raise UserError(
            f"no temporary file can be made: {error.strerror or error}", hint=_HINT
        ) from None


@contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder that goes with the block; those of killed processes go, too.

    Raises:
        UserError: there is no folder for temporary files that can be written, or no room in it.
    """
    with temporary_folder() as folder, room():
        yield folder


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """``workspace`` for a block that also writes to standard output, which may be full itself.

    Raises:
        UserError: there is no folder for temporary files that can be written.
    """
    folder = Folder()
    try:
        yield folder.make()
    finally:
        folder.leave()


_place: str | None = None  # where our folders are made; None: where Python makes its own


@contextlib.contextmanager
def others_in(folder: Path) -> Iterator[None]:
    """Have libraries write their temporary files into ``folder``. Ours stay beside it: a child that
    is kept for later outlives the block."""
    global _place
    before = _place, tempfile.tempdir
    _place, tempfile.tempdir = _place or tempfile.gettempdir(), str(folder)
    try:
        yield
    finally:
        _place, tempfile.tempdir = before


class Folder:
    """A temporary folder whose owner says when it goes: no block, and no collector of garbage."""

    def __init__(self) -> None:
        self._made: Path | None = None
        self._lock = -1

    def make(self) -> Path:
        """Make it, and sweep those of killed processes. Raises UserError as ``workspace``."""
        try:  # the name is known before the folder is there: a signal may come at any moment
            place = Path(_place or tempfile.gettempdir())
            _sweep_folders(place)
            self._made = place / f"{_FOLDER}{os.urandom(8).hex()}"
            self._made.mkdir(mode=0o700)
            self._lock = held_file(self._made / _LOCK)
        except OSError as error:
            raise UserError(
                f"no temporary folder can be made: {error.strerror or error}", hint=_HINT
            ) from None
        return self._made

    def leave(self) -> None:
        """Remove it. Its lock goes last where that can be, so nobody else removes it too."""
        made, lock = self._made, self._lock
        self._made, self._lock = None, -1
        if lock >= 0 and os.name != "posix":
            os.close(lock)
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        if lock >= 0 and os.name == "posix":
            os.close(lock)


def _sweep_folders(place: Path) -> None:
    with contextlib.suppress(OSError), os.scandir(place) as rows:
        for row in rows:
            if row.name.startswith(_FOLDER) and row.is_dir(follow_symlinks=False):
                _sweep_folder(Path(row.path))


def _sweep_folder(folder: Path) -> None:
    """Remove a workspace whose owner is gone; its lock is removed first, so only once."""
    with contextlib.suppress(OSError):
        if hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
            return
        if (folder / _LOCK).exists():
            if _remove_if_free(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)
        elif time.time() - folder.stat().st_mtime > _YOUNG:
            shutil.rmtree(folder, ignore_errors=True)
