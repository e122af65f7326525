"""``scan --jobs``: files of a folder in several processes, told in order as if by one."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.errors import BadFileError, UserError

if TYPE_CHECKING:
    from tflrepair.cli.scan_writers import Writer

# Writes what is in a file, and gives the exit code of each model in it.
Scan = Callable[["Writer", str], list[int]]


@dataclass(frozen=True)
class _Work:
    """``writer`` is an empty one, ``scan`` picklable; the rest says how standard output is."""

    path: str
    scan: Scan
    writer: Writer
    terminal: bool


@dataclass(frozen=True)
class _Told:
    out: str
    err: str
    writer: Writer
    codes: list[int]


class _Captured(io.StringIO):
    """What would have been printed. Colours depend on what it will be printed to."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def scan_folder(
    folder: str, jobs: int, writer: Writer, new_writer: Callable[[], Writer], scan: Scan
) -> Iterator[int]:
    """Scan what is below ``folder``; the exit code of each model.

    Raises:
        UserError: there is no model.
    """
    from tflrepair.containers.find import files_of
    from tflrepair.processes.pool import in_order

    empty = True
    terminal = sys.stdout.isatty()
    works = (_Work(str(file), scan, new_writer(), terminal) for file in files_of(Path(folder)))
    for work, told in in_order(_in_child, works, jobs):
        if told is None:
            error = BadFileError("the process that was reading it died", where=work.path)
            writer.failed(work.path, error, False)
            yield 2
            empty = False
            continue
        sys.stdout.write(told.out)
        with contextlib.suppress(OSError, ValueError):  # stderr is full or closed: nobody listens
            sys.stderr.write(told.err)
        if told.codes:
            sys.stdout.flush()
            writer.take(told.writer)
        yield from told.codes
        empty = empty and not told.codes
    if empty:
        raise UserError("holds no .tflite models", where=folder)


def _in_child(work: _Work) -> _Told:
    with (
        contextlib.redirect_stdout(_Captured(work.terminal)) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        codes = work.scan(work.writer, work.path)
    return _Told(out.getvalue(), err.getvalue(), work.writer, codes)


def check_jobs(jobs: int, folders: Sequence[bool]) -> None:
    """Raises UserError for a number of processes that cannot be, or that nothing here can use."""
    if jobs < 1:
        raise UserError(f"--jobs cannot be {jobs}", hint="give --jobs 1 or more")
    if jobs > 1 and not any(folders):
        raise UserError("--jobs is for folders", hint="give a folder of models")
