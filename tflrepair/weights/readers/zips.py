"""Reading ZIP archives that may be hostile: nothing is ever extracted by its name."""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tflrepair.errors import BadFileError
from tflrepair.weights.readers.views import View, map_stream

_BEST_PACKING = 1032  # what deflate can do at most
_MOST_MEMBERS = 200_000


def open_archive(data: memoryview, label: str) -> zipfile.ZipFile:
    """Open and judge the directory of an archive.

    Raises:
        BadFileError: damaged, encrypted, two members of one name, or a member that declares
            more than its packed bytes can hold.
    """
    try:
        archive = zipfile.ZipFile(io.BufferedReader(View(data)))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadFileError(f"is a damaged ZIP archive: {error}", where=label) from None
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise BadFileError(f"holds more than {_MOST_MEMBERS} members", where=label)
    if len({info.filename for info in members}) != len(members):
        raise BadFileError("holds two members of the same name", where=label)
    for info in members:
        if info.flag_bits & 1:
            raise BadFileError(f"{info.filename!r} is encrypted", where=label)
        if info.file_size > info.compress_size * _BEST_PACKING:
            raise BadFileError(
                f"{info.filename!r} declares {info.file_size} bytes in {info.compress_size} packed",
                where=label,
            )
    return archive


@contextmanager
def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str) -> Iterator[IO[bytes]]:
    """A member as a stream; errors of the archive become ours."""
    try:
        with archive.open(info) as stream:
            yield stream
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise BadFileError(f"{info.filename!r} cannot be read: {error}", where=label) from None


def member_bytes(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, data: memoryview, label: str
) -> memoryview:
    """A member's bytes: a part of the archive's own where it is stored unpacked.

    A packed one is unpacked to a temporary file without a name, up to the size that it declares.
    """
    if info.compress_type == zipfile.ZIP_STORED:
        with open_member(archive, info, label):
            pass  # checks the local header
        name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        start = info.header_offset + 30 + name + extra
        return data[start : start + info.file_size]
    with tempfile.TemporaryFile() as copy, open_member(archive, info, label) as stream:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        return map_stream(copy)
