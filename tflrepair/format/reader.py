"""Bounds-checked reading of a flatbuffer, straight from the bytes of the file.

Nothing is copied but what is asked for, and nothing is trusted: each access says which byte was
out of reach. Layout of the encoding: FlatBuffers internals, "vtables" and "vectors".

Two things keep large graphs cheap: a vtable is parsed once however many tables share it, and a
vector of numbers is read by one ``struct`` call. A file can still make us work without end by
sharing one huge vector among many tables, so the elements handed out are counted, too.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.sources.source import ByteSource, MemorySource
from tflrepair.wording import plural

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_HEAD = struct.Struct("<HH")
_SCALARS = {c: struct.Struct("<" + c) for c in "?bBhHiIqQfd"}

_DAMAGED = "the file is truncated or corrupt; fetch or convert it again"

# Elements of vectors and strings that a file may have us read, for each of its bytes. A walk of
# everything needs less than one; several walks and deliberate sharing of small vectors fit, too.
_READS_PER_BYTE = 16
_READS_AT_LEAST = 1 << 20


class Reader:
    """One flatbuffer: its bytes, its vtables seen so far, and what it has cost.

    ``decoded`` keeps what many ask of the table at a byte, by that byte.
    """

    __slots__ = ("_budget", "_memory", "_vtables", "decoded", "size", "source")

    def __init__(self, source: ByteSource | memoryview) -> None:
        self.source = MemorySource(source) if isinstance(source, memoryview) else source
        self.size = self.source.size
        self._memory = self.source.data if isinstance(self.source, MemorySource) else None
        self._vtables: dict[int, tuple[tuple[int, ...], int]] = {}
        self.decoded: dict[int, tuple[str, str]] = {}
        self._budget = max(self.size * _READS_PER_BYTE, _READS_AT_LEAST)

    def root(self) -> Table:
        """The root table; its position stands in the first four bytes."""
        return self.table(self.u32(0))

    def unpack(self, code: struct.Struct, pos: int) -> tuple[Any, ...]:
        """The numbers at ``pos``. Raises struct.error if they are not within the file."""
        if self._memory is not None:
            return code.unpack_from(self._memory, pos)
        if not 0 <= pos <= self.size - code.size:
            raise struct.error
        return code.unpack(self.source.read(pos, code.size))

    def read(self, start: int, count: int) -> memoryview:
        """``count`` bytes from ``start`` on, whose bounds have been checked."""
        if self._memory is not None:
            return self._memory[start : start + count]
        return self.source.read(start, count)

    def u32(self, pos: int) -> int:
        try:
            return int(self.unpack(_U32, pos)[0])
        except struct.error:
            raise self.beyond(pos, 4) from None

    def follow(self, pos: int) -> int:
        """The position that the unsigned offset at ``pos`` refers to; offsets point forward."""
        try:
            offset: int = self.unpack(_U32, pos)[0]
        except struct.error:
            raise self.beyond(pos, 4) from None
        if offset == 0 or pos + offset >= self.size:
            raise BadFileError(
                f"an offset of {plural(offset, 'byte')} leads outside the file of "
                f"{plural(self.size, 'byte')}",
                where=f"byte {pos}",
                hint=_DAMAGED,
            )
        return pos + offset

    def table(self, pos: int) -> Table:
        """The table at ``pos``. Its vtable is parsed once and shared."""
        try:
            vtable = pos - self.unpack(_I32, pos)[0]
        except struct.error:
            raise self.beyond(pos, 4) from None
        known = self._vtables.get(vtable)
        if known is None:
            known = self._vtables[vtable] = self._parse_vtable(vtable, pos)
        slots, length = known
        if pos + length > self.size:
            raise self.beyond(pos, length)
        return Table(self, pos, slots, length)

    def _parse_vtable(self, vtable: int, table: int) -> tuple[tuple[int, ...], int]:
        if not 0 <= vtable <= self.size - 4:
            raise BadFileError(
                f"no table here: its field list would be at byte {vtable} of {self.size}",
                where=f"byte {table}",
                hint=_DAMAGED,
            )
        size, length = self.unpack(_HEAD, vtable)
        if size < 4 or size % 2 or vtable + size > self.size or length < 4:
            raise BadFileError(
                "the field list of a table is malformed", where=f"byte {vtable}", hint=_DAMAGED
            )
        slots = self.unpack(struct.Struct(f"<{(size - 4) // 2}H"), vtable + 4)
        if any(slot >= length or 0 < slot < 4 for slot in slots):
            raise BadFileError(
                "a field lies outside its table", where=f"byte {vtable}", hint=_DAMAGED
            )
        return slots, length

    def vector(self, pos: int, item: int) -> tuple[int, int]:
        """(position of the first element, count) of the vector at ``pos``, ``item`` bytes each."""
        try:
            count: int = self.unpack(_U32, pos)[0]
        except struct.error:
            raise self.beyond(pos, 4) from None
        if count * item > self.size - pos - 4:
            raise BadFileError(
                f"a list of {plural(count, 'element')} ({plural(count * item, 'byte')}) runs "
                "past the end of the file",
                where=f"byte {pos}",
                hint=f"the file has {plural(self.size, 'byte')}; it is truncated or corrupt",
            )
        return pos + 4, count

    def spend(self, count: int) -> None:
        """Count ``count`` elements read.

        Raises:
            BadFileError: more was asked for than an honest file of this size can hold.
        """
        self._budget -= count
        if self._budget < 0:
            raise BadFileError(
                "the file refers to the same data so often that reading it has no end",
                hint="it was made to waste memory, or it is corrupt",
            )

    def beyond(self, pos: int, need: int) -> BadFileError:
        return BadFileError(
            f"{plural(need, 'byte is', 'bytes are')} needed at byte {pos}, but the file ends "
            f"at byte {self.size}",
            where=f"byte {pos}",
            hint=_DAMAGED,
        )


class Table:
    """One table: where it is and where its fields are.

    Fields are asked for by slot (see tflrepair.format.schema). An absent field has the schema's
    default, which the caller names.
    """

    __slots__ = ("length", "pos", "reader", "slots")

    def __init__(self, reader: Reader, pos: int, slots: tuple[int, ...], length: int) -> None:
        self.reader = reader
        self.pos = pos
        self.slots = slots
        self.length = length

    def at(self, slot: int) -> int:
        """Absolute position of the field in ``slot``, or 0 if it is absent."""
        if slot >= len(self.slots) or not self.slots[slot]:
            return 0
        return self.pos + self.slots[slot]

    def scalar(self, slot: int, kind: str, default: int = 0) -> int:
        """The number in ``slot``; ``kind`` is its struct character (``i``, ``I``, ``Q``, ...)."""
        slots = self.slots
        if slot >= len(slots) or not slots[slot]:
            return default
        code, offset = _SCALARS[kind], slots[slot]
        if offset + code.size > self.length:
            where = f"byte {self.pos + offset}"
            raise BadFileError("a field lies outside its table", where=where)
        return int(self.reader.unpack(code, self.pos + offset)[0])

    def reference(self, slot: int) -> int:
        """Where the reference in ``slot`` leads, or 0 if the field is absent."""
        slots = self.slots
        if slot >= len(slots) or not slots[slot]:
            return 0
        return self.reader.follow(self.pos + slots[slot])

    def table(self, slot: int) -> Table | None:
        pos = self.reference(slot)
        return self.reader.table(pos) if pos else None

    def tables(self, slot: int) -> list[int]:
        """Positions of the tables in the vector in ``slot`` (not parsed yet)."""
        pos = self.reference(slot)
        if not pos:
            return []
        reader = self.reader
        first, count = reader.vector(pos, 4)
        reader.spend(count)
        offsets = reader.unpack(struct.Struct(f"<{count}I"), first)
        return [first + 4 * index + offset for index, offset in enumerate(offsets)]

    def element(self, slot: int, index: int) -> int | None:
        """Position of table ``index`` of the vector in ``slot``; None if it has no such element."""
        pos = self.reference(slot)
        first, count = self.reader.vector(pos, 4) if pos else (0, 0)
        return self.reader.follow(first + 4 * index) if 0 <= index < count else None

    def numbers(self, slot: int, kind: str = "i") -> tuple[int, ...]:
        """The vector of numbers in ``slot``; ``()`` if absent."""
        pos = self.reference(slot)
        if not pos:
            return ()
        reader = self.reader
        first, count = reader.vector(pos, _SCALARS[kind].size)
        reader.spend(count)
        return reader.unpack(struct.Struct(f"<{count}{kind}"), first)

    def count(self, slot: int, item: int = 4) -> int:
        """How many elements the vector in ``slot`` has, without reading them."""
        pos = self.reference(slot)
        return self.reader.vector(pos, item)[1] if pos else 0

    def string(self, slot: int) -> str | None:
        """The string in ``slot``.

        Bytes that are not UTF-8 survive as lone surrogates, so that two names stay two names and
        can be written back unchanged.
        """
        pos = self.reference(slot)
        if not pos:
            return None
        reader = self.reader
        start, length = reader.vector(pos, 1)
        reader.spend(length)
        return str(reader.read(start, length), "utf-8", "surrogateescape")

    def span(self, slot: int) -> tuple[int, int] | None:
        """(position, length) of the byte vector or string in ``slot``, unread; None if absent."""
        pos = self.reference(slot)
        return self.reader.vector(pos, 1) if pos else None

    def unknown_slots(self, layout: Sequence[str]) -> list[int]:
        """Slots that hold something and that ``layout`` (a row of schema.LAYOUT) lacks."""
        return [slot for slot in range(len(layout), len(self.slots)) if self.slots[slot]]
