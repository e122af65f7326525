"""The bytes of a part: new tables in front, then the values that are still needed.

Promises: operators, options, tensors and values are those of the whole; only indices change.
Nothing that is not needed is in the file. Left out on purpose: metadata that counts operators or
describes the whole model's inputs, and indices into debug metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tflrepair.errors import RefusedError
from tflrepair.format import schema
from tflrepair.format.fields import FIELDS, UNIONS
from tflrepair.format.reader import Table
from tflrepair.format.splice import Head, Layout, layout
from tflrepair.graph.contents import same_bytes
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.parts.slice import Slice
from tflrepair.rewrite.deep_copy import copy
from tflrepair.views.options import SUBGRAPH_FIELDS, custom_options

_KEPT_METADATA = ("min_runtime_version", "CONVERSION_METADATA", "reduced_precision_support")
_UNIONS = (
    (schema.Operator.BUILTIN_OPTIONS_TYPE, schema.Operator.BUILTIN_OPTIONS, "BuiltinOptions"),
    (schema.Operator.BUILTIN_OPTIONS_2_TYPE, schema.Operator.BUILTIN_OPTIONS_2, "BuiltinOptions2"),
)


@dataclass(frozen=True)
class Ports:
    """The signature of a part: its key (None: none), and (name, tensor) of inputs and outputs."""

    key: str | None
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Part:
    """A finished part, not yet written. Values are copied one at a time while writing.

    ``buffers`` are the old indices of its buffers with bytes, in the order of their values.
    """

    model: Model
    kept: Slice
    head: bytes
    place: Layout
    buffers: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.head) + self.place.length

    def write(self, stream: BinaryIO) -> None:
        for piece in self._pieces():
            stream.write(piece)

    def _pieces(self) -> Iterator[bytes | memoryview]:
        yield self.head
        position = 0
        for start, index in zip(self.place.starts, self.buffers, strict=True):
            length = self.model.buffer(index).length
            prefix = length.to_bytes(4, "little") if self.place.inside else b""
            yield bytes(start - len(prefix) - position) + prefix
            yield from self.model.buffer_pieces(index)
            position = start + length
        if self.place.length > position:
            yield bytes(self.place.length - position)


def build(model: Model, kept: Slice, ports: Ports) -> Part:
    """Raises UnsupportedError where a table to be copied has a field newer than our schema."""
    buffers = _buffers(model, kept)
    sizes = [model.buffers[index].length for index in buffers]
    operators = sum(len(rows) for rows in kept.operators.values())
    place = layout(sizes, 0, 4096 + 1024 * operators + 64 * len(buffers))
    head = Head(place)
    data = _Builder(model, kept, ports, buffers, head).build()
    if head.absolute:
        data = _Builder(model, kept, ports, buffers, Head(place, len(data))).build()
    return Part(model, kept, data, place, buffers)


def check_part(part: Part, after: Model) -> None:
    """The postcondition, on the written bytes.

    Raises:
        RefusedError: the part is not what was planned.
    """
    after.walk()
    right = len(after.subgraphs) == len(part.kept.operators)
    for new, (old, rows) in zip(after.subgraphs, part.kept.operators.items(), strict=False):
        before = part.model.subgraph(old)
        right = right and [o.name for o in new.operators] == [
            before.operators[n].name for n in rows
        ]
    right = right and all(
        same_bytes(after, n + 1, part.model, old) for n, old in enumerate(part.buffers)
    )
    if not right:
        raise RefusedError("the part failed its own check; nothing was written")


def _tensors(kept: Slice, model: Model, subgraph: int) -> tuple[int, ...]:
    """The tensors that a subgraph still needs, by their old indices, in their old order."""
    graph = model.subgraph(subgraph)
    found: set[int] = set()
    for number in kept.operators[subgraph]:
        operator = graph.operators[number]
        found.update(operator.inputs, operator.outputs)
        found.update(operator.table.numbers(schema.Operator.INTERMEDIATES))
    if subgraph == kept.entry:
        found.update(kept.inputs, kept.outputs)
    else:
        found.update(graph.inputs, graph.outputs)
    graph.check_indices(tuple(found), -1)
    return tuple(sorted(t for t in found if t >= 0))


def _buffers(model: Model, kept: Slice) -> tuple[int, ...]:
    used = {
        model.subgraph(s).tensor(t).buffer for s in kept.operators for t in _tensors(kept, model, s)
    }
    used |= {buffer for name, buffer in model.metadata if name in _KEPT_METADATA}
    return tuple(sorted(b for b in used if model.buffers[b].length))


class _Builder:
    def __init__(
        self, model: Model, kept: Slice, ports: Ports, buffers: tuple[int, ...], head: Head
    ) -> None:
        self.model, self.kept, self.ports, self.head = model, kept, ports, head
        self.buffers = {old: new + 1 for new, old in enumerate(buffers)}
        self.subgraphs = {old: new for new, old in enumerate(kept.operators)}
        self.tensors = {
            s: {old: new for new, old in enumerate(_tensors(kept, model, s))}
            for s in kept.operators
        }
        codes = {
            operator.table.scalar(schema.Operator.OPCODE_INDEX, "I")
            for s, rows in kept.operators.items()
            for operator in (model.subgraph(s).operators[n] for n in rows)
        }
        self.codes = {old: new for new, old in enumerate(sorted(codes))}

    def build(self) -> bytes:
        head, model, slot = self.head, self.model, schema.Model
        code_tables = model.root.tables(slot.OPERATOR_CODES)
        codes = [copy(head, model.reader.table(code_tables[n]), "OperatorCode") for n in self.codes]
        subgraphs = [self._subgraph(index) for index in self.subgraphs]
        empty = head.table("Buffer", {})
        buffers = [empty, *(head.value_buffer(n) for n in range(len(self.buffers)))]
        fields = {
            slot.OPERATOR_CODES: head.tables(codes),
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.BUFFERS: head.tables(buffers),
            slot.METADATA_BUFFER: -1,
            slot.METADATA: self._metadata(),
            slot.SIGNATURE_DEFS: self._signatures(),
        }
        return head.finish(copy(head, model.root, "Model", fields))

    def _subgraph(self, index: int) -> int:
        head, slot = self.head, schema.SubGraph
        graph, renumber = self.model.subgraph(index), self.tensors[index]
        inputs, outputs = graph.inputs, graph.outputs
        if index == self.kept.entry:
            inputs, outputs = self.kept.inputs, self.kept.outputs
        graph.check_indices((*inputs, *outputs), 0)
        fields = {
            slot.TENSORS: head.tables([self._tensor(index, old) for old in renumber]),
            slot.INPUTS: head.numbers([renumber[t] for t in inputs]),
            slot.OUTPUTS: head.numbers([renumber[t] for t in outputs]),
            slot.OPERATORS: head.tables(
                [self._operator(graph.operators[n], renumber) for n in self.kept.operators[index]]
            ),
            slot.DEBUG_METADATA_INDEX: -1,
        }
        return copy(head, graph.table, "SubGraph", fields)

    def _tensor(self, subgraph: int, index: int) -> int:
        tensor = self.model.subgraph(subgraph).tensor(index)
        fields = {schema.Tensor.BUFFER: self.buffers.get(tensor.buffer, 0)}
        return copy(self.head, tensor.table, "Tensor", fields)

    def _operator(self, operator: Operator, renumber: dict[int, int]) -> int:
        head, slot, table = self.head, schema.Operator, operator.table
        fields = {
            slot.OPCODE_INDEX: self.codes[table.scalar(slot.OPCODE_INDEX, "I")],
            slot.INPUTS: head.numbers([renumber.get(t, -1) for t in operator.inputs]),
            slot.OUTPUTS: head.numbers([renumber.get(t, -1) for t in operator.outputs]),
            slot.DEBUG_METADATA_INDEX: -1,
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
                calls = self._called(member, options)
                fields[value_slot] = copy(head, options, member, calls)
        return copy(head, table, "Operator", fields)

    def _called(self, member: str, options: Table) -> dict[int, int]:
        """Options' fields that name subgraphs, with the new indices."""
        fields = {}
        for slot, (name, kind, _, _) in enumerate(FIELDS[member]):
            if name not in SUBGRAPH_FIELDS:
                continue
            if kind[0] == "V":
                rows = [self.subgraphs.get(n, n) for n in options.numbers(slot)]
                fields[slot] = self.head.numbers(rows)
            else:
                old = options.scalar(slot, kind)
                fields[slot] = self.subgraphs.get(old, old)
        return fields

    def _metadata(self) -> int:
        slot = schema.Metadata
        rows = [
            self.head.table(
                "Metadata",
                {slot.NAME: self.head.string(name), slot.BUFFER: self.buffers.get(buffer, 0)},
            )
            for name, buffer in self.model.metadata
            if name in _KEPT_METADATA
        ]
        return self.head.tables(rows)

    def _signatures(self) -> int:
        if self.ports.key is None:
            return -1
        renumber = self.tensors[self.kept.entry]
        inputs, outputs = (
            [(name, renumber[tensor]) for name, tensor in rows]
            for rows in (self.ports.inputs, self.ports.outputs)
        )
        return self.head.tables([self.head.signature(self.ports.key, 0, inputs, outputs)])
