"""The bytes of a compacted model: its tables built anew, then the values that are still needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tflrepair.format import schema, zipped
from tflrepair.format.fields import FIELDS, UNIONS
from tflrepair.format.reader import Table
from tflrepair.format.splice import Head, Layout, layout
from tflrepair.graph.model import Model, Signature
from tflrepair.graph.subgraph import Operator
from tflrepair.passes.compact.needed import Needed
from tflrepair.progress import Progress
from tflrepair.rewrite.copying import OldBytes
from tflrepair.rewrite.deep_copy import copy
from tflrepair.rewrite.relocation import Piece, write_pieces
from tflrepair.views.options import SUBGRAPH_FIELDS, custom_options

_UNIONS = (
    (schema.Operator.BUILTIN_OPTIONS_TYPE, schema.Operator.BUILTIN_OPTIONS, "BuiltinOptions"),
    (schema.Operator.BUILTIN_OPTIONS_2_TYPE, schema.Operator.BUILTIN_OPTIONS_2, "BuiltinOptions2"),
)


@dataclass(frozen=True)
class Compacted:
    """A compacted file, not yet written. ``buffers``: the old indices of those with bytes."""

    model: Model
    numbers: Numbers
    head: bytes
    place: Layout
    tail: bytes

    @property
    def size(self) -> int:
        return len(self.head) + self.place.length + len(self.tail)

    def write(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        write_pieces(self._pieces(), self.size, stream, progress)

    def _pieces(self) -> Iterator[Piece]:
        yield self.head
        position = 0
        for start, index in zip(self.place.starts, self.numbers.buffers, strict=True):
            row = self.model.buffers[index]
            prefix = row.length.to_bytes(4, "little") if self.place.inside else b""
            yield bytes(start - len(prefix) - position) + prefix
            yield OldBytes(self.model, row.start, row.start + row.length)
            position = start + row.length
        yield bytes(self.place.length - position) + self.tail


class Numbers:
    """New numbers of what stays: old -> new.

    Attributes:
        subgraphs, codes, buffers: of the model. A buffer without bytes is number 0.
        tensors: of each subgraph.
    """

    def __init__(self, model: Model, stays: Needed) -> None:
        self.subgraphs = {old: new for new, old in enumerate(sorted(stays.operators))}
        codes: set[int] = set()
        used = {buffer for _, buffer in model.metadata}
        used.update(model.root.numbers(schema.Model.METADATA_BUFFER))
        self.tensors: dict[int, dict[int, int]] = {}
        for index in self.subgraphs:
            tensors = _tensors(model, stays, index)
            self.tensors[index] = {old: new for new, old in enumerate(tensors)}
            columns = model.subgraph(index).tensor_columns
            used.update(columns.buffers[t] for t in tensors)
            opcodes = model.subgraph(index).operator_columns.opcodes
            codes.update(opcodes[n] for n in stays.operators[index])
        self.codes = {old: new for new, old in enumerate(sorted(codes))}
        filled = sorted(index for index in used if model.buffers[index].length)
        self.buffers = {old: new + 1 for new, old in enumerate(filled)}


def _tensors(model: Model, stays: Needed, index: int) -> list[int]:
    """The tensors that a subgraph still needs."""
    graph = model.subgraph(index)
    inputs, outputs = stays.around(graph)
    found = {*inputs, *outputs}
    for number in stays.operators[index]:
        operator = graph.operator(number)
        for tensors in stays.of(operator):
            found.update(tensors)
        found.update(operator.table.numbers(schema.Operator.INTERMEDIATES))
    for signature in model.signatures:
        if signature.subgraph == index:
            found.update(tensor for _, tensor in signature.inputs + signature.outputs)
    return sorted(t for t in found if t >= 0)


def rewrite(model: Model, stays: Needed) -> Compacted:
    """Raises UnsupportedError where a table has a field newer than our schema."""
    numbers = Numbers(model, stays)
    sizes = [model.buffers[index].length for index in numbers.buffers]
    operators = sum(len(rows) for rows in stays.operators.values())
    tensors = sum(len(rows) for rows in numbers.tensors.values())
    place = layout(sizes, 0, 4096 + 1024 * operators + 256 * tensors + 64 * len(sizes))
    data = _Builder(model, stays, numbers, Head(place)).build()
    if not place.inside:  # where the values are depends on the head's length
        data = _Builder(model, stays, numbers, Head(place, len(data))).build()
    tail = zipped.appended(model.source, len(data) + place.length)
    return Compacted(model, numbers, data, place, tail)


class _Builder:
    def __init__(self, model: Model, stays: Needed, numbers: Numbers, head: Head) -> None:
        self.model, self.stays, self.numbers, self.head = model, stays, numbers, head

    def build(self) -> bytes:
        head, model, slot, numbers = self.head, self.model, schema.Model, self.numbers
        tables = model.root.tables(slot.OPERATOR_CODES)
        codes = [copy(head, model.reader.table(tables[n]), "OperatorCode") for n in numbers.codes]
        subgraphs = [self._subgraph(index) for index in numbers.subgraphs]
        empty = head.table("Buffer", {})
        buffers = [empty, *(head.value_buffer(n) for n in range(len(numbers.buffers)))]
        fields = {
            slot.OPERATOR_CODES: head.tables(codes),
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.BUFFERS: head.tables(buffers),
            slot.METADATA: self._metadata(),
            slot.SIGNATURE_DEFS: head.tables([self._signature(row) for row in model.signatures]),
        }
        old = model.root.numbers(slot.METADATA_BUFFER)
        if old:
            fields[slot.METADATA_BUFFER] = head.numbers([numbers.buffers.get(n, 0) for n in old])
        return head.finish(copy(head, model.root, "Model", fields))

    def _subgraph(self, index: int) -> int:
        head, slot = self.head, schema.SubGraph
        graph, renumber = self.model.subgraph(index), self.numbers.tensors[index]
        inputs, outputs = self.stays.around(graph)
        tensors = [self._tensor(index, old) for old in renumber]
        operators = [
            self._operator(graph.operator(number), renumber)
            for number in self.stays.operators[index]
        ]
        fields = {
            slot.TENSORS: head.tables(tensors),
            slot.INPUTS: head.numbers([renumber[t] for t in inputs]),
            slot.OUTPUTS: head.numbers([renumber[t] for t in outputs]),
            slot.OPERATORS: head.tables(operators),
        }
        return copy(head, graph.table, "SubGraph", fields)

    def _tensor(self, subgraph: int, index: int) -> int:
        tensor = self.model.subgraph(subgraph).tensor(index)
        fields = {schema.Tensor.BUFFER: self.numbers.buffers.get(tensor.buffer, 0)}
        return copy(self.head, tensor.table, "Tensor", fields)

    def _operator(self, operator: Operator, renumber: dict[int, int]) -> int:
        head, slot, table = self.head, schema.Operator, operator.table
        inputs, outputs = self.stays.of(operator)
        fields = {
            slot.OPCODE_INDEX: self.numbers.codes[table.scalar(slot.OPCODE_INDEX, "I")],
            slot.INPUTS: head.numbers([renumber.get(t, -1) for t in inputs]),
            slot.OUTPUTS: head.numbers([renumber.get(t, -1) for t in outputs]),
        }
        if table.at(slot.INTERMEDIATES):
            rows = table.numbers(slot.INTERMEDIATES)
            fields[slot.INTERMEDIATES] = head.numbers([renumber.get(t, -1) for t in rows])
        if table.scalar(slot.LARGE_CUSTOM_OPTIONS_OFFSET, "Q") > 1:
            fields[slot.CUSTOM_OPTIONS] = head.data(custom_options(self.model, operator))
            fields[slot.LARGE_CUSTOM_OPTIONS_OFFSET] = fields[slot.LARGE_CUSTOM_OPTIONS_SIZE] = 0
        for type_slot, value_slot, union in _UNIONS:
            member = UNIONS[union].get(table.scalar(type_slot, "B"))
            options = table.table(value_slot)
            if member is not None and options is not None:
                fields[value_slot] = copy(head, options, member, self._called(member, options))
        return copy(head, table, "Operator", fields)

    def _called(self, member: str, options: Table) -> dict[int, int]:
        """Options' fields that name subgraphs, with the new indices."""
        fields, subgraphs = {}, self.numbers.subgraphs
        for slot, (name, kind, _, _) in enumerate(FIELDS[member]):
            if name not in SUBGRAPH_FIELDS:
                continue
            if kind[0] == "V":
                fields[slot] = self.head.numbers([subgraphs[n] for n in options.numbers(slot)])
            else:
                old = options.scalar(slot, kind)
                fields[slot] = subgraphs.get(old, old)  # -1: none
        return fields

    def _metadata(self) -> int:
        slot = schema.Metadata
        rows = []
        for position in self.model.root.tables(schema.Model.METADATA):
            table = self.model.reader.table(position)
            buffer = self.numbers.buffers.get(table.scalar(slot.BUFFER, "I"), 0)
            rows.append(copy(self.head, table, "Metadata", {slot.BUFFER: buffer}))
        return self.head.tables(rows)

    def _signature(self, row: Signature) -> int:
        renumber = self.numbers.tensors[row.subgraph]
        inputs = [(name, renumber[tensor]) for name, tensor in row.inputs]
        outputs = [(name, renumber[tensor]) for name, tensor in row.outputs]
        return self.head.signature(row.key, self.numbers.subgraphs[row.subgraph], inputs, outputs)
