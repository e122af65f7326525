"""Members of a ZIP archive. What is stored unpacked, as models mostly are, is not copied."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tflrepair.containers.member import HEAD, Member
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.leftovers import room, temporary_file
from tflrepair.sources.opened import WHOLE_BELOW
from tflrepair.sources.pages import Pages, part_of
from tflrepair.sources.source import ByteSource, FileSource, MemorySource, View
from tflrepair.wording import plural

_LOCAL = struct.Struct("<4s22xHH")  # PKWARE APPNOTE 4.3.7: signature, lengths of name and extra
_BEST_PACKING = 1032  # deflate cannot pack better (zlib.net/zlib_tech.html)
_MOST_MEMBERS = 200_000
_MOST_BYTES = 4 << 30  # of one member that must be unpacked, onto the disk
_CHUNK = 1 << 20


def is_zip(head: bytes) -> bool:
    """MediaPipe's .task files may begin with a few zeros, which align what they hold."""
    return bytes(head).lstrip(b"\0").startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members(outer: Member) -> Iterator[Member]:
    """The regular members, in the archive's order.

    Raises:
        BadFileError: the archive is damaged, or made to waste time or memory.
    """
    source = outer.source()
    with _guarded(outer.path):
        archive = zipfile.ZipFile(View(source))
        rows = archive.infolist()
    if len(rows) > _MOST_MEMBERS:
        raise BadFileError(f"holds {plural(len(rows), 'member')}", where=outer.path)
    for info in rows:
        if info.is_dir() or not info.file_size:
            continue
        path = f"{outer.path}!/{info.filename}"
        if info.flag_bits & 1:
            continue  # encrypted: nothing can be told of it
        if info.file_size > (info.compress_size + 64) * _BEST_PACKING:
            raise BadFileError("declares more bytes than its packing can hold", where=path)
        with _guarded(path), archive.open(info) as stream:
            head = stream.read(HEAD)
        yield Member(path, head, partial(_whole, archive, info, source, path))


def _whole(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, outer: ByteSource, path: str
) -> ByteSource:
    if info.compress_type == zipfile.ZIP_STORED:
        return _stored(info, outer, path)
    if info.file_size > _MOST_BYTES:
        raise BadFileError(
            f"is packed and has {plural(info.file_size, 'byte')}", hint="unpack it first"
        )
    with temporary_file() as copy, _guarded(path), room():
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                copy.write(chunk)
        copy.flush()
        if copy.tell() >= WHOLE_BELOW:
            return Pages(FileSource(os.fdopen(os.dup(copy.fileno()), "rb")))
        copy.seek(0)
        return MemorySource(copy.read())


def _stored(info: zipfile.ZipInfo, outer: ByteSource, path: str) -> ByteSource:
    place = info.header_offset
    if place + _LOCAL.size > outer.size:
        raise BadFileError("lies outside the archive", where=path)
    signature, name, extra = _LOCAL.unpack(outer.read(place, _LOCAL.size))
    start = place + _LOCAL.size + name + extra
    if signature != b"PK\x03\x04" or start + info.file_size > outer.size:
        raise BadFileError("lies outside the archive", where=path)
    return part_of(outer, start, info.file_size)


@contextmanager
def _guarded(path: str) -> Iterator[None]:
    """What zipfile and zlib raise of damaged archives, as our error."""
    try:
        yield
    except TflRepairError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
            RuntimeError, UnicodeError, struct.error) as error:  # fmt: skip
        raise BadFileError(f"cannot be unpacked: {error}", where=path) from None
