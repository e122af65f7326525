"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tflrepair.errors import UserError


def check_free(path: Path, force: bool) -> None:
    """Refuse an output that exists, unless ``force``, and one that can never be written.

    Raises:
        UserError: the file exists, is a directory, or its folder does not exist.
    """
    if path.is_dir():
        raise UserError("the output is a directory", where=str(path), hint="name a file with -o")
    if not path.parent.is_dir():
        raise UserError("the output's folder does not exist", where=str(path.parent))
    if path.exists() and not force:
        raise UserError(
            "the output exists already", where=str(path), hint="give --force to replace it"
        )


def check_no_input(path: Path, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is one of the files that are read, links included, ``force`` or not.

    Raises:
        UserError: ``path`` is one of ``inputs``.
    """
    for source in inputs:
        if _is_same(path, Path(source)):
            raise UserError(
                "the output is the input; an input is never overwritten",
                where=str(path),
                hint="name another file",
            )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or cannot be looked at
        return one.absolute() == other.absolute()


@contextmanager
def atomic(path: Path, force: bool) -> Iterator[Path]:
    """A temporary path beside ``path``; what the block writes there is put in its place at the end.

    So what was written can be checked first. If anything is raised, or the block leaves no file
    there, ``path`` stays as it was.

    Raises:
        UserError: the output exists, or the disk is full or read-only.
    """
    check_free(path, force)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        if not temporary.exists():
            return
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        check_free(path, force)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror or error}", where=str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, data: bytes, force: bool) -> None:
    """Write a small file, whole or not at all. Raises as ``atomic`` does."""
    with atomic(path, force) as temporary:
        temporary.write_bytes(data)
