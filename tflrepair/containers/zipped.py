"""Members of a ZIP archive. What is stored unpacked, as models mostly are, is not copied."""

from __future__ import annotations

import mmap
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tflrepair.containers.member import HEAD, Member
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format.source import MemorySource, View
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
    data = outer.data()
    with _guarded(outer.path):
        archive = zipfile.ZipFile(View(MemorySource(data)))
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
        yield Member(path, head, partial(_whole, archive, info, data, path))


def _whole(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, data: memoryview, path: str
) -> memoryview:
    if info.compress_type == zipfile.ZIP_STORED:
        return _stored(info, data, path)
    if info.file_size > _MOST_BYTES:
        raise BadFileError(
            f"is packed and has {plural(info.file_size, 'byte')}", hint="unpack it first"
        )
    with tempfile.TemporaryFile(prefix="tflrepair-") as copy, _guarded(path):
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                copy.write(chunk)
        copy.flush()
        return memoryview(mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ))


def _stored(info: zipfile.ZipInfo, data: memoryview, path: str) -> memoryview:
    place = info.header_offset
    if place + _LOCAL.size > len(data):
        raise BadFileError("lies outside the archive", where=path)
    signature, name, extra = _LOCAL.unpack_from(data, place)
    start = place + _LOCAL.size + name + extra
    if signature != b"PK\x03\x04" or start + info.file_size > len(data):
        raise BadFileError("lies outside the archive", where=path)
    return data[start : start + info.file_size]


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
