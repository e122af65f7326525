"""What a subgraph says of its operators and tensors, in columns instead of objects.

A scan asks thousands of operators for little more than their code. So the numbers that the
verification has decoded anyway are kept, and an object is made only of what somebody looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format import schema
from tflrepair.format.reader import Reader, Table
from tflrepair.structure.subject import Subject

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class OperatorColumns:
    """The operators of one subgraph.

    Attributes:
        places: byte of each table.
        opcodes: row of Model.operator_codes.
        inputs, outputs: tensor indices; -1 for an optional input left out.
    """

    places: Sequence[int]
    opcodes: Sequence[int]
    inputs: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, eq=False)
class TensorColumns:
    """The tensors of one subgraph.

    Attributes:
        types: TensorType of each.
        buffers: index of the buffer of each; 0 for none.
        shapes: sizes, -1 where a dimension is open; ``()`` also for an unknown rank.
        ranked: whether the file says that it knows the rank.
    """

    types: Sequence[int]
    buffers: Sequence[int]
    shapes: Sequence[Sequence[int]]
    ranked: Sequence[int]


Columns = tuple[OperatorColumns, TensorColumns]


def verified(subject: Subject) -> tuple[Columns, ...]:
    """The columns of all subgraphs of a file in which nothing is wrong."""
    operators, tensors = subject.of("Operator"), subject.of("Tensor")
    codes = operators.column("opcode_index")
    types, buffers, shapes = tensors.column("type"), tensors.column("buffer"), _shapes(subject)
    ranked = tensors.column("has_rank")
    found = []
    for graph in subject.subgraphs:
        rows, members = subject.operators[graph], subject.tensors[graph]
        ends = _of(subject.inputs, rows), _of(subject.outputs, rows)
        those = OperatorColumns(_of(operators.positions, rows), _of(codes, rows), *ends)
        found.append(
            (
                those,
                TensorColumns(
                    _of(types, members),
                    _of(buffers, members),
                    _of(shapes, members),
                    _of(ranked, members),
                ),
            )
        )
    return tuple(found)


def handles(subject: Subject) -> dict[int, tuple[str, str]]:
    """(container, shared name) of each operator with VarHandleOptions, by the operator's byte.

    Of a file in which nothing is wrong.
    """
    rows, options = subject.of("Operator"), subject.of("VarHandleOptions")
    ends = options.ref("container"), options.ref("shared_name")
    names = {
        place: (subject.text(container), subject.text(name))
        for place, container, name in zip(options.positions, *ends, strict=True)
    }
    refs, kinds = rows.ref("builtin_options"), rows.column("builtin_options_type")
    return {
        place: names[ref]
        for place, ref, kind in zip(rows.positions, refs, kinds, strict=True)
        if kind == schema.BuiltinOptions.VarHandleOptions and ref in names
    }


def _shapes(subject: Subject) -> list[tuple[int, ...]]:
    """The signature of each shape, which has its open dimensions, where there is one."""
    tensors, shapes = subject.of("Tensor"), list(subject.shapes)
    for row, pos in enumerate(tensors.ref("shape_signature")):
        if pos and subject.words.count(pos) == len(shapes[row]):
            shapes[row] = tuple(subject.vector(tensors, "shape_signature", pos))
    return shapes


def _of(column: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    """The elements of ``column`` in ``rows``, which nearly always stand side by side."""
    if isinstance(rows, range):
        return column if len(rows) == len(column) else column[rows.start : rows.stop]
    return [column[row] for row in rows]


def read_operators(graph: Table, index: int, codes: int, tensors: int) -> OperatorColumns:
    """The operators of a subgraph that has not been verified.

    Args:
        graph: the subgraph's table.
        index: its number, for messages.
        codes, tensors: how many operator codes and tensors there are.

    Raises:
        BadFileError: something lies outside the file, or an index leads nowhere.
    """
    slot, reader = schema.Operator, graph.reader
    places = graph.tables(schema.SubGraph.OPERATORS)
    opcodes, inputs, outputs = [], [], []
    for number, place in enumerate(places):
        try:
            table = reader.table(place)
            opcode = table.scalar(slot.OPCODE_INDEX, "I")
            ends = table.numbers(slot.INPUTS), table.numbers(slot.OUTPUTS)
            if opcode >= codes:
                raise BadFileError(f"operator code {opcode} does not exist")
            for indices in ends:
                check_indices(indices, -1, tensors)
        except TflRepairError as error:
            raise error.within(f"subgraph {index}, operator {number}") from None
        opcodes.append(opcode)
        inputs.append(ends[0])
        outputs.append(ends[1])
    return OperatorColumns(places, opcodes, inputs, outputs)


def read_tensors(reader: Reader, index: int, places: Sequence[int]) -> TensorColumns:
    """The tensors, whose tables are at ``places``, of subgraph ``index``. Raises BadFileError."""
    slot, rows = schema.Tensor, []
    for number, place in enumerate(places):
        try:
            table = reader.table(place)
            kind, buffer = table.scalar(slot.TYPE, "b"), table.scalar(slot.BUFFER, "I")
            rows.append((kind, buffer, shape_of(table), table.scalar(slot.HAS_RANK, "?")))
        except TflRepairError as error:
            raise error.within(f"subgraph {index}, tensor {number}") from None
    types, buffers, shapes, ranked = zip(*rows, strict=True) if rows else ((), (), (), ())
    return TensorColumns(types, buffers, shapes, ranked)


def shape_of(tensor: Table) -> tuple[int, ...]:
    """The shape of a tensor, from its signature where that has open dimensions."""
    shape = tensor.numbers(schema.Tensor.SHAPE)
    signature = tensor.numbers(schema.Tensor.SHAPE_SIGNATURE)
    return signature if len(signature) == len(shape) else shape


def check_indices(tensors: Sequence[int], lowest: int, count: int) -> None:
    """Raises BadFileError for an index of a tensor below ``lowest`` or from ``count`` on."""
    if tensors and (max(tensors) >= count or min(tensors) < lowest):
        shown = tuple(tensors[:8])
        raise BadFileError(f"refers to a tensor outside 0 to {count - 1}: {shown}")
