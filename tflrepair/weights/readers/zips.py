"""Reading ZIP archives that may be hostile: nothing is ever extracted by its name."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tflrepair.errors import BadFileError
from tflrepair.weights.readers.views import FileView
from tflrepair.wording import plural

_BEST_PACKING = 1032  # what deflate can do at most
_MOST_MEMBERS = 100_000

# What is unpacked whole may be this much larger than what is packed, and any may be of UNPACKED
# bytes. Weights pack to some nine tenths; only zeros pack a thousand times.
UNPACKED = 64 << 20
PACKING = 50

ERRORS = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
    RuntimeError, MemoryError,
)  # fmt: skip


def open_archive(path: str, label: str) -> zipfile.ZipFile:
    """Open and judge the directory of an archive.

    Raises:
        BadFileError: damaged, encrypted, two members of one name, or a member that declares
            more than its packed bytes can hold.
    """
    view = FileView(path)
    try:
        archive = zipfile.ZipFile(io.BufferedReader(view, 1 << 16))
    except ERRORS as error:
        raise BadFileError(f"is a damaged ZIP archive: {error}", where=label) from None
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise BadFileError(f"holds more than {plural(_MOST_MEMBERS, 'member')}", where=label)
    if len({info.filename for info in members}) != len(members):
        raise BadFileError("holds two members of the same name", where=label)
    for info in members:
        if info.flag_bits & 1:
            raise BadFileError(f"{info.filename!r} is encrypted", where=label)
        if info.file_size > info.compress_size * _BEST_PACKING:
            raise BadFileError(
                f"{info.filename!r} declares {plural(info.file_size, 'byte')} in "
                f"{info.compress_size} packed",
                where=label,
            )
    if sum(info.compress_size for info in members) > view.size:
        raise BadFileError("its members overlap: together they are larger than it", where=label)
    return archive


def check_unpacking(info: zipfile.ZipInfo, label: str) -> None:
    """Refuse a member that is to be unpacked whole and is packed as no weights are.

    Raises:
        BadFileError: see ``UNPACKED`` and ``PACKING``.
    """
    if info.file_size > max(UNPACKED, info.compress_size * PACKING):
        raise BadFileError(
            f"{info.filename!r} would grow from {info.compress_size} to "
            f"{plural(info.file_size, 'byte')}; "
            f"above {UNPACKED >> 20} MB at most {PACKING} times as much is unpacked",
            where=label,
            hint="if you trust it, unpack it and save it again without compression",
        )


@contextmanager
def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str) -> Iterator[IO[bytes]]:
    """A member as a stream; errors of the archive become ours."""
    try:
        with archive.open(info) as stream:
            yield stream
    except ERRORS as error:
        raise BadFileError(f"{info.filename!r} cannot be read: {error}", where=label) from None
