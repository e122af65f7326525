"""Old tables in a new head, by reference unless they hold absolute file positions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tflrepair.errors import UnsupportedError
from tflrepair.format import schema, splice, zipped
from tflrepair.format.reader import Table
from tflrepair.format.splice import Head, layout
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.progress import Progress
from tflrepair.rewrite.copying import OldBytes, copy
from tflrepair.wording import plural

_COPY_CHUNK = 1 << 24
# For larger writes, ext4 looks for memory in one piece, which took up to ten times the processor
# time of the write itself where memory was scattered. cp takes as much.
_WRITE_CHUNK = 1 << 17

# Bytes to be written, those of an old file, or the number of bytes that are zero.
Piece = bytes | memoryview | OldBytes | int

_NOTHING: Mapping[int, int] = {}


class OutOfReachError(UnsupportedError):
    """New tables push the old ones to where runtimes do not look (see ``outside``)."""


@dataclass(frozen=True)
class Prefixed:
    """A new file, not yet written: ``head`` (new tables), the old file's bytes, and ``tail``."""

    model: Model
    head: bytes
    tail: bytes = b""

    @property
    def size(self) -> int:
        return len(self.head) + self.model.size + len(self.tail)

    def pieces(self) -> Iterator[Piece]:
        yield self.head
        yield from old_pieces(self.model, len(self.head))
        yield self.tail

    def write(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        write_pieces(self.pieces(), self.size, stream, progress)


def in_front(model: Model, head: bytes, tail: bytes = b"") -> Prefixed:
    """New tables that refer to old ones. Raises OutOfReachError, see ``check_reach``."""
    check_reach(model, len(head))
    return Prefixed(model, head, tail)


def prefixed(model: Model, build: Callable[[Head], bytes]) -> Prefixed:
    """New tables, as ``build`` makes them in an empty head, in front of ``model``.

    ``build`` is called twice where positions behind the flatbuffer move by the head's length.

    Raises:
        OutOfReachError: see ``check_reach``.
    """
    head = empty_head(model)
    data = build(head)
    if head.absolute:
        data = build(empty_head(model, len(data)))
    return in_front(model, data)


def write_pieces(
    pieces: Iterator[Piece], size: int, stream: BinaryIO, progress: Progress | None
) -> None:
    """Write ``pieces``, ``size`` bytes in all, and tell how far it is."""
    done = 0
    for piece in pieces:
        if isinstance(piece, int):
            stream.seek(piece, os.SEEK_CUR)
            done += piece
        elif isinstance(piece, OldBytes):
            done += copy(piece, stream)
        else:
            done += _write(stream, memoryview(piece))
        if progress is not None:
            progress("writing", done, size)
    if stream.seek(0, os.SEEK_END) < size:  # it ends with zeros
        stream.seek(size - 1)
        stream.write(b"\0")


def _write(stream: BinaryIO, data: memoryview) -> int:
    for start in range(0, len(data), _WRITE_CHUNK):
        stream.write(data[start : start + _WRITE_CHUNK])
    return len(data)


def check_reach(model: Model, shift: int) -> None:
    """Refuse to move a flatbuffer to where runtimes cannot read it.

    They look at its first ``LARGEST_FLATBUFFER`` bytes, so what new tables in front push beyond
    that is lost to them.

    Args:
        shift: bytes that will stand in front of the old file.

    Raises:
        OutOfReachError: tables or values of the flatbuffer would end behind that.
    """
    if shift + model.size <= splice.LARGEST_FLATBUFFER:
        return
    end = shift + max(_ends(model), default=0)
    if end > splice.LARGEST_FLATBUFFER:
        raise OutOfReachError(
            f"with new tables in front, the flatbuffer would end at byte {end}; runtimes read "
            f"{plural(splice.LARGEST_FLATBUFFER, 'byte')} of one",
            where=model.path,
            hint="convert the model with its weights outside the flatbuffer (Buffer.offset), or "
            "in parts; nothing was written",
        )


def _ends(model: Model) -> Iterator[int]:
    """Where values and tables of a flatbuffer end, and the lists that these refer to begin."""
    for row in model.buffers:
        if row.length and not row.outside:
            yield row.start + row.length
    root, slot = model.root, schema.Model
    rows = [("Model", root)]
    for field, name in (
        (slot.SUBGRAPHS, "SubGraph"), (slot.BUFFERS, "Buffer"), (slot.METADATA, "Metadata"),
        (slot.OPERATOR_CODES, "OperatorCode"), (slot.SIGNATURE_DEFS, "SignatureDef"),
    ):  # fmt: skip
        rows += _tables(model, root, field, name)
    for subgraph in model.subgraphs:
        rows += _tables(model, subgraph.table, schema.SubGraph.TENSORS, "Tensor")
        rows += _tables(model, subgraph.table, schema.SubGraph.OPERATORS, "Operator")
    for name, table in rows:
        yield table.pos + table.length
        for field, kind in enumerate(schema.LAYOUT[name]):
            if kind == "r" and table.at(field):
                yield table.reference(field) + 4


def _tables(model: Model, table: Table, field: int, name: str) -> list[tuple[str, Table]]:
    return [(name, model.reader.table(position)) for position in table.tables(field)]


def old_pieces(model: Model, shift: int) -> Iterator[Piece]:
    """The old file, ``shift`` bytes further back: the same bytes but for positions in a ZIP."""
    position = 0
    for start, data in sorted(zipped.shifted_positions(model.source, shift)):
        yield from _chunks(model, position, start)
        yield data
        position = start + len(data)
    yield from _chunks(model, position, model.size)


def _chunks(model: Model, start: int, end: int) -> Iterator[OldBytes]:
    for position in range(start, end, _COPY_CHUNK):
        yield OldBytes(model, position, min(position + _COPY_CHUNK, end))


def empty_head(model: Model, head_length: int = 0) -> Head:
    """A head in front of ``model`` without new values."""
    return Head(layout([], model.size, 0), head_length)


def buffers(head: Head, model: Model) -> list[int]:
    """The rows of Model.buffers."""
    offsets = []
    positions = model.root.tables(schema.Model.BUFFERS)
    for row, position in zip(model.buffers, positions, strict=True):
        offset = head.old(position)
        if row.outside:
            fields = {schema.Buffer.OFFSET: head.shifted(row.start)}
            offset = head.copy("Buffer", model.reader.table(position), fields)
        offsets.append(offset)
    return offsets


def has_position(operator: Operator) -> bool:
    """Whether the operator's custom options stand behind the flatbuffer."""
    return operator.table.scalar(schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET, "Q") > 1


def subgraph_table(head: Head, subgraph: Subgraph, replaced: Mapping[int, int] = _NOTHING) -> int:
    """The subgraph's table, by reference unless a field changes or an operator's position does."""
    fields = dict(replaced)
    if any(map(has_position, subgraph.operators)):
        rows = [operator_table(head, operator) for operator in subgraph.operators]
        fields[schema.SubGraph.OPERATORS] = head.tables(rows)
    if not fields:
        return head.old(subgraph.table.pos)
    return head.copy("SubGraph", subgraph.table, fields)


def operator_table(head: Head, operator: Operator, replaced: Mapping[int, int] = _NOTHING) -> int:
    """The operator's table, by reference unless a field changes; ``replaced`` is slot -> field."""
    fields = dict(replaced)
    if has_position(operator):
        slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
        fields[slot] = head.shifted(operator.table.scalar(slot, "Q"))
    if not fields:
        return head.old(operator.table.pos)
    return head.copy("Operator", operator.table, fields)
