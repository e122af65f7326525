"""Every model below a path: in folders, ZIP archives (.task, .aar, .apk, .whl) and .litertlm files.

What a file is shows in its first bytes. A model inside an archive is named like
``app.aar!/assets/model.tflite``, one in a bundle ``chat.litertlm!/section0``; an archive inside an
archive goes on: ``app.aar!/assets/hand.task!/hand.tflite``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tflrepair.containers import bundle, zipped
from tflrepair.containers.member import Member
from tflrepair.errors import BadFileError, TflRepairError, UserError, masked
from tflrepair.format.sniff import IDENTIFIER
from tflrepair.graph.model import Model, Source, from_source, load
from tflrepair.opening import is_file, is_folder, mode_of, open_regular
from tflrepair.sources.opened import is_address
from tflrepair.wording import plural

MARK = "!/"
_DEEPEST = 4
_MOST_FILES = 1_000_000
# Files that a folder may hold for other reasons than models are looked into only by these names.
_ARCHIVES = (".zip", ".task", ".aar", ".apk", ".aab", ".jar", ".ipa", ".whl", ".litertlm")


@dataclass(frozen=True)
class Found:
    """A model that was found, or what kept us from looking: ``error`` is set then."""

    path: str
    model: Model | None
    error: TflRepairError | None = None


def is_container(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is a folder, an archive or a bundle, rather than a model."""
    place = Path(path)
    if is_folder(place):
        return not mode_of(place / "saved_model.pb")
    if not is_file(place):
        return False
    head = _head(place)
    return zipped.is_zip(head) or bundle.is_bundle(head)


def find(path: str | os.PathLike[str]) -> Iterator[Found]:
    """The models below ``path`` in the order of their names; each may be dropped before the next.

    Args:
        path: a folder, an archive or a model, or the address of one of the latter two.

    Raises:
        UserError: there is no such file or folder.
    """
    if not os.fspath(path):  # of an unset variable, and not the current folder
        raise UserError("the path is empty", hint="`.` is the current folder")
    if is_address(path):
        yield from _at_address(str(path))
        return
    place = Path(path)
    if is_folder(place):
        for file in files_of(place):
            yield from find_in_file(file)
        return
    if not mode_of(place) and not _is_hidden(place):
        raise UserError("there is no such file or folder", where=str(place))
    yield from _file(place)


def _is_hidden(place: Path) -> bool:
    """Whether what keeps us from looking at it is something else than that it is not there."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return False


def load_model(source: Source) -> Model:
    """A model by its path, which may lead into an archive: ``app.aar!/assets/model.tflite``.

    Its bytes or a Model are taken as well.

    Raises:
        BadFileError: there is no such model, or it is damaged.
        UserError: the source is none of these.
    """
    if not isinstance(source, str | os.PathLike):
        return load(source)
    name = os.fspath(source)
    if MARK not in name or (not is_address(name) and mode_of(name)):
        return load(name)
    for found in find(name.split(MARK)[0]):
        if found.path == masked(name) and found.model is not None:
            return found.model
        if found.error is not None and found.path in (masked(name), masked(name.split(MARK)[0])):
            raise found.error
    raise BadFileError(
        "there is no such model in the archive",
        where=name,
        hint=f"`tflrepair scan {name.split(MARK)[0]}` lists those that there are",
    )


def files_of(folder: Path) -> Iterator[Path]:
    """Regular files below ``folder``, and folders that cannot be looked into; links to folders are
    not followed.

    Raises:
        UserError: there are too many.
    """
    seen, closed = 0, list[Path]()
    for base, folders, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        folders.sort()
        for name in sorted(names):
            seen += 1
            if seen > _MOST_FILES:
                raise UserError(
                    f"holds more than {plural(_MOST_FILES, 'file')}; the rest was not looked at",
                    where=str(folder),
                    hint="name the folders in it one by one",
                )
            file = Path(base, name)
            mode = mode_of(file)
            if stat.S_ISREG(mode) or (not mode and _is_hidden(file)):
                yield file
    yield from closed


def find_in_file(file: Path) -> Iterator[Found]:
    """The models in a file of a folder: none, one, or those of an archive."""
    if is_folder(file):
        error = BadFileError("the folder may not be looked into", where=str(file))
        yield Found(str(file), None, error)
        return
    try:
        head = _head(file)
    except TflRepairError as error:
        if file.suffix == ".tflite":
            yield Found(str(file), None, error)
        return
    if head[4:8] == IDENTIFIER or file.suffix == ".tflite":
        yield _model(file)
    elif file.suffix.lower() in _ARCHIVES:
        yield from _file(file)


def _file(file: Path) -> Iterator[Found]:
    try:
        head = _head(file)
    except TflRepairError as error:
        yield Found(str(file), None, error)
        return
    if zipped.is_zip(head) or bundle.is_bundle(head):
        try:
            member = Member.of_file(str(file))
        except TflRepairError as error:
            yield Found(str(file), None, error)
            return
        yield from _members(member, 1)
    else:
        yield _model(file)


def _at_address(address: str) -> Iterator[Found]:
    try:
        member = Member.of_file(address)
    except TflRepairError as error:
        yield Found(masked(address), None, error)
        return
    if zipped.is_zip(member.head) or bundle.is_bundle(member.head):
        yield from _members(member, 1)
    else:
        yield _inner(member)


def _model(file: Path) -> Found:
    try:
        return Found(str(file), load(file))
    except TflRepairError as error:
        return Found(str(file), None, error)


def _head(file: Path) -> bytes:
    with open_regular(file) as stream:  # opening a FIFO would wait for ever
        try:
            return stream.read(16)
        except OSError as error:
            raise BadFileError(f"cannot be read: {error.strerror}", where=str(file)) from None


def _members(outer: Member, depth: int) -> Iterator[Found]:
    """What ``outer``, an archive or bundle, holds."""
    reader = zipped.members if zipped.is_zip(outer.head) else bundle.members
    try:
        for member in reader(outer):
            if member.head[4:8] == IDENTIFIER:
                yield _inner(member)
            elif zipped.is_zip(member.head) or bundle.is_bundle(member.head):
                if depth < _DEEPEST:
                    yield from _members(member, depth + 1)
                else:
                    yield Found(member.path, None, BadFileError("archives nested too deeply"))
            elif member.path.endswith(".tflite"):
                yield _inner(member)
    except TflRepairError as error:
        yield Found(outer.path, None, error)


def _inner(member: Member) -> Found:
    try:
        return Found(member.path, from_source(member.source(), member.path))
    except TflRepairError as error:
        return Found(member.path, None, error.within(member.path))
