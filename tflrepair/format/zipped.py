"""A ZIP archive appended to a model, and what moving it does to the positions inside it.

TFLite metadata keeps associated files (labels, vocabularies) in a ZIP behind the flatbuffer. Its
central directory holds file positions, which grow by the length of what is put in front
(PKWARE APPNOTE 4.3.12 and 4.3.16). ZIP64 archives are left to readers that find the shift
themselves, as all that we know do for prefixed archives.
"""

from __future__ import annotations

import struct

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_ENTRY = b"PK\x01\x02"
_ENTRY_SIZE = 46


def shifted_positions(data: memoryview, shift: int) -> list[tuple[int, bytes]]:
    """(position in ``data``, new bytes) for each position to be changed; empty without a ZIP."""
    end = _find_end(data)
    if end is None:
        return []
    count, size, start = struct.unpack_from("<HII", data, end + 10)
    if start + size != end or start + shift >= 0xFFFFFFFF:
        return []  # not counted from the start of the file, or beyond 32 bits
    patches = [(end + 16, struct.pack("<I", start + shift))]
    position = start
    for _ in range(count):
        if position + _ENTRY_SIZE > end or bytes(data[position : position + 4]) != _ENTRY:
            return []
        name, extra, comment = struct.unpack_from("<HHH", data, position + 28)
        (local,) = struct.unpack_from("<I", data, position + 42)
        patches.append((position + 42, struct.pack("<I", local + shift)))
        position += _ENTRY_SIZE + name + extra + comment
    return patches


def appended(data: memoryview, position: int) -> bytes:
    """The ZIP behind a flatbuffer (TFLite's associated files), to stand at ``position``."""
    found = shifted_positions(data, 0)
    if not found:
        return b""
    start = min(struct.unpack("<I", row)[0] for _, row in found)
    tail = bytearray(data[start:])
    for place, row in shifted_positions(data, position - start):
        tail[place - start : place - start + len(row)] = row
    return bytes(tail)


def _find_end(data: memoryview) -> int | None:
    """Where the end-of-central-directory record stands, if the file ends with one."""
    lowest = max(0, len(data) - _END_SIZE - _LONGEST_COMMENT)
    tail = bytes(data[lowest:])
    found = tail.rfind(_END)
    while found >= 0:
        if len(tail) - found >= _END_SIZE:
            (comment,) = struct.unpack_from("<H", tail, found + 20)
            if found + _END_SIZE + comment == len(tail):
                return lowest + found
        found = tail.rfind(_END, 0, found)
    return None
