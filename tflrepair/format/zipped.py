"""A ZIP archive appended to a model, and what moving it does to the positions inside it.

TFLite metadata keeps associated files (labels, vocabularies) in a ZIP behind the flatbuffer. Its
central directory holds file positions, which grow by the length of what is put in front
(PKWARE APPNOTE 4.3.12 and 4.3.16). ZIP64 archives are left to readers that find the shift
themselves, as all that we know do for prefixed archives.
"""

from __future__ import annotations

import struct

from tflrepair.sources.source import ByteSource

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_ENTRY = b"PK\x01\x02"
_ENTRY_SIZE = 46


def shifted_positions(source: ByteSource, shift: int) -> list[tuple[int, bytes]]:
    """(position in the file, new bytes) for each position to be changed; empty without a ZIP."""
    end = _find_end(source)
    if end is None:
        return []
    count, size, start = struct.unpack("<HII", source.read(end + 10, 10))
    if start + size != end or start + shift >= 0xFFFFFFFF:
        return []  # not counted from the start of the file, or beyond 32 bits
    patches = [(end + 16, struct.pack("<I", start + shift))]
    position = start
    for _ in range(count):
        entry = source.read(position, _ENTRY_SIZE) if position + _ENTRY_SIZE <= end else b""
        if bytes(entry[:4]) != _ENTRY:
            return []
        name, extra, comment = struct.unpack_from("<HHH", entry, 28)
        (local,) = struct.unpack_from("<I", entry, 42)
        patches.append((position + 42, struct.pack("<I", local + shift)))
        position += _ENTRY_SIZE + name + extra + comment
    return patches


def appended(source: ByteSource, position: int) -> bytes:
    """The ZIP behind a flatbuffer (TFLite's associated files), to stand at ``position``."""
    found = shifted_positions(source, 0)
    if not found:
        return b""
    start = min(struct.unpack("<I", row)[0] for _, row in found)
    tail = bytearray(source.read(start, source.size - start))
    for place, row in shifted_positions(source, position - start):
        tail[place - start : place - start + len(row)] = row
    return bytes(tail)


def _find_end(source: ByteSource) -> int | None:
    """Where the end-of-central-directory record stands, if the file ends with one."""
    lowest = max(0, source.size - _END_SIZE - _LONGEST_COMMENT)
    tail = bytes(source.read(lowest, source.size - lowest))
    found = tail.rfind(_END)
    while found >= 0:
        if len(tail) - found >= _END_SIZE:
            (comment,) = struct.unpack_from("<H", tail, found + 20)
            if found + _END_SIZE + comment == len(tail):
                return lowest + found
        found = tail.rfind(_END, 0, found)
    return None
