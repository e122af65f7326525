"""New tables in front of an old flatbuffer, whose bytes stay as they are.

FlatBuffers offsets point forward only, so nothing appended can be reached from old tables, but a
new root in front can reach everything. The result is

    head (new tables)  |  values (new byte vectors)  |  the old file

A ``flatbuffers.Builder`` writes back to front and counts offsets from its end, so a reference
to what lies p bytes behind the head's end is simply the offset ``-p``. The head's length is a
multiple of 64, which keeps every old alignment. Cost is proportional to what is new.

Runtimes read ``LARGEST_FLATBUFFER`` bytes of a flatbuffer. Beyond that the values go behind the
old file instead, where Buffer.offset and Buffer.size point to them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tflrepair.errors import UnsupportedError
from tflrepair.format import schema
from tflrepair.format.reader import Table

if TYPE_CHECKING:
    import flatbuffers

ALIGNMENT = 64  # of the head and of the value region; divides every alignment the schema asks for
VECTOR_ALIGNMENT = 16  # Buffer.data is force_align: 16 in the schema

# LiteRT verifies the first FLATBUFFERS_MAX_BUFFER_SIZE - 1 bytes of a file
# (tflite/converter/core/model_builder_base.h), which is this. What lies behind them is for
# Buffer.offset only.
LARGEST_FLATBUFFER = 2**31 - 2

_PREPEND = {
    "?": "PrependBool", "b": "PrependInt8", "B": "PrependUint8", "h": "PrependInt16",
    "H": "PrependUint16", "i": "PrependInt32", "I": "PrependUint32", "q": "PrependInt64",
    "Q": "PrependUint64", "f": "PrependFloat32", "d": "PrependFloat64",
}  # fmt: skip


def padding(position: int, alignment: int) -> int:
    return -position % alignment


@dataclass(frozen=True)
class Layout:
    """Where new values of the given sizes will be, before any of them is read.

    Attributes:
        inside: values stand between head and old bytes, as byte vectors; else behind the old
            bytes, as bare bytes.
        starts: of each value's bytes, counted from the end of the head.
        old: where the old file begins, counted from the end of the head.
        length: of everything behind the head.
    """

    inside: bool
    sizes: tuple[int, ...]
    starts: tuple[int, ...]
    old: int
    length: int


def layout(sizes: Sequence[int], old_size: int, head_estimate: int) -> Layout:
    """Place values of ``sizes`` bytes around an old file of ``old_size`` bytes."""
    starts, end = _place(sizes, 0, prefix=4)
    region = end + padding(end, ALIGNMENT)
    if head_estimate + region + old_size <= LARGEST_FLATBUFFER:
        return Layout(True, tuple(sizes), tuple(starts), region, region + old_size)
    starts, end = _place(sizes, old_size, prefix=0)
    return Layout(False, tuple(sizes), tuple(starts), 0, end)


def _place(sizes: Sequence[int], begin: int, prefix: int) -> tuple[list[int], int]:
    starts, position = [], begin
    for size in sizes:
        position += prefix
        position += padding(position, VECTOR_ALIGNMENT)
        starts.append(position)
        position += size
    return starts, position


class Head:
    """Builds the new tables. ``place`` is where the values and the old file will be.

    ``head_length`` is needed only where absolute file positions are written; build twice, first
    with 0: no field changes its size, so the length found is right.
    """

    def __init__(self, place: Layout, head_length: int = 0) -> None:
        import flatbuffers

        self.builder: flatbuffers.Builder = flatbuffers.Builder(4096)
        self.builder.minalign = ALIGNMENT
        self.place = place
        self.head_length = head_length
        self.absolute = False

    def old(self, position: int) -> int:
        """The builder offset that refers to byte ``position`` of the old file."""
        return -(self.place.old + position)

    def shifted(self, position: int) -> int:
        """Where byte ``position`` of the old file will be in the new one."""
        self.absolute = True
        return self.head_length + self.place.old + position

    def string(self, text: str) -> int:
        return int(self.builder.CreateString(text, "utf-8", "surrogateescape"))

    def numbers(self, values: Sequence[int], kind: str = "i") -> int:
        size = struct.calcsize("<" + kind)
        self.builder.StartVector(size, len(values), size)
        return self._filled(struct.pack(f"<{len(values)}{kind}", *values))

    def _filled(self, data: bytes) -> int:
        """The vector that was started, for which the builder has made room."""
        self.builder.head -= len(data)
        self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
        return int(self.builder.EndVector())

    def data(self, data: bytes) -> int:
        """A byte vector with the alignment that Buffer.data has."""
        self.builder.StartVector(1, len(data), VECTOR_ALIGNMENT)
        return self._filled(data)

    def tables(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        # an offset of the builder counts from the end of what it has made, a stored one from where
        # it stands: all at once, since most operators of a graft are old ones in a new list
        end = int(self.builder.Offset()) + 4 * len(offsets)
        return self._filled(
            struct.pack(
                f"<{len(offsets)}I",
                *[end - 4 * place - offset for place, offset in enumerate(offsets)],
            )
        )

    def table(self, name: str, fields: Mapping[int, int]) -> int:
        """A new table of schema type ``name`` with ``fields`` (slot -> number or offset).

        Every field given is stored, also one that equals the schema's default, so that the
        length of the head depends on nothing but the fields' presence.
        """
        return self.put(schema.LAYOUT[name], fields)

    def put(self, kinds: str, fields: Mapping[int, int]) -> int:
        """The same for a table whose slots have the layout characters ``kinds``."""
        self.builder.StartObject(len(kinds))
        for slot, value in fields.items():
            if kinds[slot] == "r":
                self.builder.PrependUOffsetTRelative(value)
            else:
                getattr(self.builder, _PREPEND[kinds[slot]])(value)
            self.builder.Slot(slot)
        return int(self.builder.EndObject())

    def signature(
        self,
        key: str,
        subgraph: int,
        inputs: Iterable[tuple[str, int]],
        outputs: Iterable[tuple[str, int]],
    ) -> int:
        """A new SignatureDef; inputs and outputs are (name, tensor index)."""
        slot = schema.SignatureDef
        fields = {
            slot.INPUTS: self.tensor_maps(inputs),
            slot.OUTPUTS: self.tensor_maps(outputs),
            slot.SIGNATURE_KEY: self.string(key),
            slot.SUBGRAPH_INDEX: subgraph,
        }
        return self.table("SignatureDef", fields)

    def tensor_maps(self, rows: Iterable[tuple[str, int]]) -> int:
        """The inputs or outputs of a SignatureDef: (name, tensor index)."""
        slot = schema.TensorMap
        return self.tables(
            [
                self.table("TensorMap", {slot.NAME: self.string(name), slot.TENSOR_INDEX: index})
                for name, index in rows
            ]
        )

    def copy(self, name: str, table: Table, replaced: Mapping[int, int]) -> int:
        """A new table with the fields of an old one, those in ``replaced`` exchanged.

        Raises:
            UnsupportedError: the old table has a field that our schema does not know; its size
                is unknown, so it cannot be carried over.
        """
        kinds = schema.LAYOUT[name]
        unknown = table.unknown_slots(kinds)
        if unknown:
            raise UnsupportedError(
                f"a {name} table has a field newer than this tflrepair (slot {unknown[0]})",
                where=f"byte {table.pos}",
                hint="update tflrepair; nothing was written",
            )
        fields = {}
        for slot, kind in enumerate(kinds):
            if slot in replaced:
                fields[slot] = replaced[slot]
            elif table.at(slot):
                fields[slot] = (
                    self.old(table.reference(slot)) if kind == "r" else table.scalar(slot, kind)
                )
        return self.table(name, fields)

    def value_buffer(self, index: int) -> int:
        """A Buffer table for new value ``index``."""
        slot = schema.Buffer
        start, size = self.place.starts[index], self.place.sizes[index]
        if self.place.inside:
            return self.table("Buffer", {slot.DATA: -(start - 4)})
        self.absolute = True
        return self.table("Buffer", {slot.OFFSET: self.head_length + start, slot.SIZE: size})

    def finish(self, root: int) -> bytes:
        self.builder.Finish(root, b"TFL3")
        return bytes(self.builder.Output())
