"""Damage on purpose: bytes at random, and .tflite files changed where their fields are."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from functools import cache

from tflrepair.sources.pages import SIZES
from tflrepair.structure.rows import Rows
from tflrepair.structure.verify import verify

_EXTREMES = (0, 1, 2, 127, 128, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE)


def flip(rng: random.Random, data: bytes) -> bytes:
    """Some bytes, a word or a half-word overwritten, inserted, removed or cut off."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        if len(out) < 8:
            break
        kind, pos = rng.random(), rng.randrange(len(out) - 4)
        if kind < 0.35:
            out[pos] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        elif kind < 0.75:
            word = struct.unpack_from("<I", out, pos & ~3)[0]
            near = word + rng.choice((-4, -2, -1, 1, 2, 4, 256))
            value = rng.choice((*_EXTREMES, near, len(out), len(out) - pos, rng.randrange(64)))
            struct.pack_into("<I", out, pos & ~3, value & 0xFFFFFFFF)
        elif kind < 0.9:
            half = struct.unpack_from("<H", out, pos & ~1)[0]
            value = rng.choice((0, 2, 4, half + 2, half - 2, half + 4, 0xFFFF, rng.randrange(64)))
            struct.pack_into("<H", out, pos & ~1, value & 0xFFFF)
        elif kind < 0.94:
            del out[pos : pos + rng.choice((1, 2, 4, 16))]
        elif kind < 0.98:
            out[pos:pos] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 4))))
        else:
            del out[pos:]
    return bytes(out)


@cache
def _rows(data: bytes) -> tuple[Rows, ...]:
    """The tables of a sound file, those that are there."""
    return tuple(rows for rows in verify(memoryview(data)).walk.rows.values() if len(rows))


def field(rng: random.Random, data: bytes) -> bytes:
    """One to three fields of ``data``, a sound .tflite file, changed for the worse."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rows = rng.choice(_rows(data))
        plan, _, places = rng.choice(rows.groups or [(None, (), [])])
        if plan is None or not plan.fields:
            continue
        chosen, pos = rng.choice(plan.fields), rng.choice(places)
        where = pos + chosen.offset
        size = SIZES.get(chosen.kind)
        if size is not None:
            _scalar(rng, out, where, size)
        else:
            rng.choice(_REFERENCE_CHANGES)(rng, out, where, data)
    return bytes(out)


def _scalar(rng: random.Random, out: bytearray, where: int, size: int) -> None:
    old = int.from_bytes(out[where : where + size], "little")
    value = rng.choice((*_EXTREMES, old + 1, old - 1, rng.randrange(256), 1 << (8 * size - 1)))
    out[where : where + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def _retarget(rng: random.Random, out: bytearray, where: int, data: bytes) -> None:
    """Refer to another table, of whatever type, or to nothing."""
    rows = rng.choice(_rows(data))
    target = rng.choice(rows.positions)
    offset = target - where if target > where else rng.choice((0, 4, len(out) - where, 1 << 31))
    struct.pack_into("<I", out, where, offset & 0xFFFFFFFF)


def _length(rng: random.Random, out: bytearray, where: int, data: bytes) -> None:
    """Change the number of elements of the vector or string that is referred to."""
    target = where + struct.unpack_from("<I", out, where)[0]
    if target + 4 <= len(out):
        count = struct.unpack_from("<I", out, target)[0]
        value = rng.choice((0, count + 1, count - 1, count * 2, 0x40000000, 0xFFFFFFFF))
        struct.pack_into("<I", out, target, value & 0xFFFFFFFF)


def _content(rng: random.Random, out: bytearray, where: int, data: bytes) -> None:
    """Change one word of what is referred to."""
    target = where + struct.unpack_from("<I", out, where)[0]
    if target + 8 <= len(out):
        count = struct.unpack_from("<I", out, target)[0]
        pos = min(target + 4 + 4 * rng.randrange(max(min(count, 64), 1)), len(out) - 4)
        _scalar(rng, out, pos, 4)


_Change = Callable[[random.Random, bytearray, int, bytes], None]
_REFERENCE_CHANGES: tuple[_Change, ...] = (_retarget, _length, _content, _content)


def tflite(rng: random.Random, data: bytes) -> bytes:
    """Half of the time by bytes, half by fields."""
    return (flip if rng.random() < 0.5 else field)(rng, data)
