"""Files of gigabytes that cost a disk nothing: their weights are zeros that nobody has written."""

from __future__ import annotations

import struct
from pathlib import Path

from ai_edge_litert import schema_py_generated as fb
from build import Build

from tflrepair.format import schema
from tflrepair.format.reader import Reader


def scattered(path: Path, layers: int, floats: int) -> None:
    """A chain of ``layers`` MULs by constants of ``floats`` floats, as converters lay them out.

    Each constant's Buffer table stands in front of its values, so that the tables are all over the
    file. One variable is never set.
    """
    build = Build()
    main = build.sub("main", "run")
    value = main.read(main.handle("v"), (floats,))
    constants = []
    for _ in range(layers):
        constant, out = main.tensor(shape=(floats,)), main.tensor(shape=(floats,))
        constants.append(len(build.model.buffers) - 2)
        main.op("MUL", [value, constant], [out], fb.MulOptionsT())
        value = out
    main.output(value)
    head = bytearray(build.bytes())
    first, _ = vector_of_buffers(head)
    at = len(head)
    with path.open("wb") as stream:
        for number in constants:
            at += (12 - at) % 16  # so that the values are aligned to 16 bytes
            # a list of one field, at byte 4 of a table of 8 bytes; the table; the vector's length
            stream.seek(at)
            stream.write(struct.pack("<HHHxxiII", 6, 8, 4, 8, 4, 4 * floats))
            place = first + 4 * number
            struct.pack_into("<I", head, place, at + 8 - place)
            at += 20 + 4 * floats
        stream.truncate(at)
        stream.seek(0)
        stream.write(head)


def vector_of_buffers(data: bytes | bytearray) -> tuple[int, int]:
    """Where the first element of Model.buffers is, and how many there are."""
    reader = Reader(memoryview(data))
    return reader.vector(reader.root().reference(schema.Model.BUFFERS), 4)


def behind(path: Path, offset: int, data: bytes) -> None:
    """A MUL by a constant that stands behind the flatbuffer, at byte ``offset`` (Buffer.offset)."""
    build = Build()
    main = build.sub("main", "run")
    floats = len(data) // 4
    value = main.input(shape=(floats,))
    constant, out = main.tensor(shape=(floats,)), main.tensor(shape=(floats,))
    row = build.model.buffers[-2]
    row.offset, row.size = offset, len(data)
    main.op("MUL", [value, constant], [out], fb.MulOptionsT())
    main.output(out)
    with path.open("wb") as stream:
        stream.write(build.bytes())
        stream.seek(offset)
        stream.write(data)
