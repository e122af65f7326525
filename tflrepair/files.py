"""Outputs that are there whole or not at all, and never in the place of anything precious.

An output is written into a file without a name where the system has such (Linux, O_TMPFILE), which
is given its name when it is complete: however we end, nothing is left behind. Elsewhere it is
a ``.tflrepair-*.part`` beside the output; one whose writer was killed is removed by the next run.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tflrepair.errors import TflRepairError, UserError
from tflrepair.leftovers import PART, held_file, hold, sweep_parts
from tflrepair.opening import is_folder, kind_of, same_file


def check_free(path: Path, force: bool) -> None:
    """Refuse an output that exists, unless ``force``, and one that can never be written.

    Only a regular file is ever replaced. A symbolic link is not followed and not replaced, also
    where it leads nowhere: what the user means by it cannot be told.

    Raises:
        UserError: the output exists, is a link, a directory, a FIFO or a device, or its folder
            does not exist or cannot be searched.
    """
    try:
        folder = _mode(path.parent, follow=True)
        if folder is None or not stat.S_ISDIR(folder):
            raise UserError("the output's folder does not exist", where=str(path.parent))
        mode = _mode(path, follow=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"the output cannot be written: {reason}", where=str(path)) from None
    if mode is None:
        return
    if stat.S_ISLNK(mode):
        raise UserError(
            "the output is a symbolic link, which is neither followed nor replaced",
            where=str(path),
            hint=f"name the file itself ({os.path.realpath(path)}) or remove the link",
        )
    kind = kind_of(mode)
    if kind:
        raise UserError(f"the output is {kind}", where=str(path), hint="name a file with -o")
    if not force:
        raise UserError(
            "the output exists already",
            where=str(path),
            hint="give --force (in Python force=True) to replace it",
        )


def _mode(path: Path, *, follow: bool) -> int | None:
    """``st_mode``, or None where there is nothing."""
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except FileNotFoundError:
        return None


def check_no_input(path: Path, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is one of the files that are read, links included, ``force`` or not.

    An input may be a folder (nothing is written into it), the prefix of a checkpoint, or an index
    of shards, with all the files that belong to it.

    Raises:
        UserError: ``path`` is one of ``inputs``.
    """
    for source in inputs:
        if os.fspath(source) and _belongs(path, Path(source)):  # empty: whoever reads it says so
            raise UserError(
                "the output is the input; an input is never overwritten",
                where=str(path),
                hint="name another file",
            )


def _belongs(path: Path, source: Path) -> bool:
    """Whether writing to ``path`` would destroy ``source`` or a part of it."""
    if same_file(path, source) or path.absolute() == source.absolute():
        return True
    if is_folder(source):
        return source.resolve() in path.resolve().parents
    if not same_file(path.parent, source.parent):
        return False
    if path.name.startswith((f"{source.name}.index", f"{source.name}.data-")):
        return True  # a TensorFlow checkpoint
    shards = source.name.endswith(".weights.json") and path.name.endswith(".weights.h5")
    return shards and path.name.startswith(source.name.removesuffix(".weights.json"))


class Draft:
    """An output in the making: a file that has no name of its own yet.

    Attributes:
        stream: the open file, for writing and reading.
        path: where this process and its children find it until it is done with.
    """

    def __init__(self, folder: Path) -> None:
        nameless = _nameless(folder)
        self.named = nameless is None
        if nameless is None:
            self.path = folder / f"{PART[0]}{os.urandom(8).hex()}{PART[1]}"
            nameless = held_file(self.path)
        else:
            self.path = Path(f"/proc/{os.getpid()}/fd/{nameless}")
            hold(nameless)  # for the moment in which it replaces another file
        self.stream: BinaryIO = os.fdopen(nameless, "w+b")

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it and flush, so that others can read it by ``path``."""
        self.stream.write(data)
        self.stream.flush()

    def drop(self) -> None:
        """Give it up; nothing is left of it."""
        try:
            self.stream.close()
        finally:
            if self.named:  # Windows may refuse while a map is still open: ``close`` tries again
                with contextlib.suppress(PermissionError):
                    self.path.unlink(missing_ok=True)

    def name(self, target: Path, force: bool) -> None:
        """Give it the name ``target``; it is on the disk before.

        Raises:
            UserError: see ``check_free``.
            OSError: from the file system.
        """
        self.stream.flush()
        os.fsync(self.stream.fileno())
        check_free(target, force)
        if not self.named:
            if not force:  # fails if another process has made the file in the meantime
                _link(self.stream.fileno(), target)
                self.stream.close()
                _sync(target.parent)
                return
            self.path = target.with_name(f"{PART[0]}{os.urandom(8).hex()}{PART[1]}")
            self.named = True  # before it is so: what interrupts now must not leave the name
            _link(self.stream.fileno(), self.path)
        self.stream.close()  # Windows renames no open file
        self.path.replace(target)
        self.named = False
        _sync(target.parent)


class Output:
    """What ``atomic`` gives: holds the draft that counts, if any."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.draft: Draft | None = None
        self._made: list[Draft] = []

    def begin(self) -> Draft:
        """A new, empty draft, which is the output from now on."""
        draft = self._new()
        self.take(draft)
        return draft

    def _new(self) -> Draft:
        self._made.append(Draft(self.target.parent))
        return self._made[-1]

    @contextmanager
    def trial(self) -> Iterator[Draft]:
        """A new draft that is dropped at the end of the block unless it was taken."""
        draft = self._new()
        try:
            yield draft
        finally:
            if draft is not self.draft:
                draft.drop()

    def take(self, draft: Draft) -> None:
        """``draft`` is the output now; the one before it is dropped."""
        self.drop()
        self.draft = draft

    def drop(self) -> None:
        """Nothing is to be written after all."""
        draft, self.draft = self.draft, None
        if draft is not None:
            draft.drop()

    def close(self) -> None:
        """Leave nothing but what has its name."""
        for draft in self._made:
            with contextlib.suppress(OSError):  # a full disk refuses what is still in the stream
                draft.drop()

    def named(self, text: str | None) -> str | None:
        """``text`` with the output's own name in the place of that of a draft."""
        for draft in self._made:
            text = text and text.replace(str(draft.path), str(self.target))
        return text


@contextmanager
def atomic(path: Path, force: bool) -> Iterator[Output]:
    """An output for ``path``; the draft that the block leaves in it is put in place at the end.

    So what was written can be checked first. If anything is raised, or the block leaves no draft,
    ``path`` stays as it was.

    Raises:
        UserError: see ``check_free``; also where the disk is full or read-only.
    """
    check_free(path, force)
    output = Output(path)
    try:
        sweep_parts(path.parent)
        yield output
        if output.draft is not None:
            output.draft.name(path, force)
    except TflRepairError as error:
        error.message = output.named(error.message) or ""
        error.where = output.named(error.where)
        raise
    except FileExistsError:
        raise UserError("the output exists already", where=str(path)) from None
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror or error}", where=str(path)) from None
    finally:
        output.close()


def write(path: Path, data: bytes, force: bool) -> None:
    """Write a small file, whole or not at all. Raises as ``atomic`` does."""
    with atomic(path, force) as output:
        output.begin().write(data)


def _nameless(folder: Path) -> int | None:
    """A descriptor of a new file without a name in ``folder``; None where there is no such."""
    flag = getattr(os, "O_TMPFILE", 0)
    if not flag:
        return None
    try:
        descriptor = os.open(folder, flag | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError:  # the file system has none (NFS, some overlays); or it is read-only: said later
        return None
    if Path(f"/proc/{os.getpid()}/fd/{descriptor}").exists():
        return descriptor
    os.close(descriptor)
    return None


def _link(descriptor: int, path: Path) -> None:
    """Give a file without a name one (man open, O_TMPFILE). Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:  # dst_dir_fd makes Python call linkat(2), which can follow the link in /proc
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _sync(folder: Path) -> None:
    """The folder's new entry survives a power cut, where folders can be synced."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
