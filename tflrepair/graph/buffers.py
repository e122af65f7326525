"""Where the bytes of a buffer are, in the file or behind it."""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format import schema
from tflrepair.format.reader import Reader, Table


@dataclass(frozen=True, slots=True)
class Buffer:
    """Where the bytes of a buffer are in the file (``start`` 0 and ``length`` 0: none).

    ``outside`` is true for bytes behind the flatbuffer (Buffer.offset and Buffer.size).
    """

    index: int
    start: int
    length: int
    outside: bool


def buffer_at(reader: Reader, index: int, pos: int) -> Buffer:
    """Buffer ``index``, whose table is at ``pos``. Raises BadFileError."""
    slot = schema.Buffer
    try:
        table = reader.table(pos)
        start, length = table.span(slot.DATA) or (0, 0)
        offset = table.scalar(slot.OFFSET, "Q")
        # 0 is "absent" and 1 the converter's placeholder while it lays the file out
        if offset <= 1 or length:
            return Buffer(index, start if length else 0, length, False)
        length = table.scalar(slot.SIZE, "Q")
        if offset + length > reader.size:
            raise reader.beyond(offset, length)
        return Buffer(index, offset, length, True)
    except TflRepairError as error:
        raise error.within(f"buffer {index}") from None


@dataclass(frozen=True, slots=True)
class ExternalBuffer:
    """``length`` bytes from byte ``offset`` on in the file ``name``, stored as ``packing`` says."""

    name: str
    offset: int
    length: int
    packing: str


def external_buffers(root: Table) -> dict[int, ExternalBuffer]:
    """The external buffers of a model by their id. Raises BadFileError."""
    slot, reader = schema.ExternalBuffer, root.reader
    names = [
        reader.table(pos).string(schema.ExternalBufferGroup.NAME) or ""
        for pos in root.tables(schema.Model.EXTERNAL_BUFFER_GROUPS)
    ]
    found: dict[int, ExternalBuffer] = {}
    for row in map(reader.table, root.tables(schema.Model.EXTERNAL_BUFFERS)):
        group = row.scalar(slot.GROUP, "I")
        if group >= len(names):
            raise BadFileError(f"group {group} of external buffers does not exist")
        offset, length = row.scalar(slot.OFFSET, "Q"), row.scalar(slot.LENGTH, "Q")
        buffer = ExternalBuffer(names[group], offset, length, row.string(slot.PACKING) or "")
        found.setdefault(row.scalar(slot.ID, "I"), buffer)  # of several, LiteRT takes the first
    return found


def bytes_of(reader: Reader, index: int) -> memoryview:
    """The bytes of buffer ``index``, not copied. Raises BadFileError if there is no such buffer."""
    pos = reader.root().element(schema.Model.BUFFERS, index)
    if pos is None:
        raise BadFileError(f"buffer {index} does not exist")
    row = buffer_at(reader, index, pos)
    return reader.read(row.start, row.length)
