"""The bytes of a freeze: new operator and tensor lists in front of the old file."""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.format.splice import Head
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.passes.freeze.plan import FreezePlan, FrozenRead
from tflrepair.rewrite import relocation


def rewrite(model: Model, plan: FreezePlan) -> relocation.Prefixed:
    """Raises UnsupportedError where a table to be copied has a field newer than our schema."""
    head = relocation.empty_head(model)
    data = _build(head, model, plan)
    if head.absolute:  # positions behind the flatbuffer move by the head's length
        data = _build(relocation.empty_head(model, len(data)), model, plan)
    return relocation.in_front(model, data)


def _build(head: Head, model: Model, plan: FreezePlan) -> bytes:
    subgraphs = [_subgraph(head, model, plan, index) for index in range(len(model.subgraphs))]
    fields = {schema.Model.SUBGRAPHS: head.tables(subgraphs)}
    if any(row.outside for row in model.buffers):
        fields[schema.Model.BUFFERS] = head.tables(relocation.buffers(head, model))
    return head.finish(head.copy("Model", model.root, fields))


def _subgraph(head: Head, model: Model, plan: FreezePlan, index: int) -> int:
    subgraph = model.subgraph(index)
    constants = [row for row in plan.constants if row.subgraph == index]
    kept = [o for o in subgraph.operators if OperatorRef(index, o.index) not in plan.dropped]
    moved = any(map(relocation.has_position, kept))
    if not constants and not moved and len(kept) == subgraph.operator_count:
        return head.old(subgraph.table.pos)
    slot = schema.SubGraph
    operators = [relocation.operator_table(head, operator) for operator in kept]
    fields = {slot.OPERATORS: head.tables(operators)}
    if constants:
        tensors = [head.old(p) for p in subgraph.table.tables(slot.TENSORS)]
        for row in constants:
            tensors[row.tensor] = _constant(head, model, row)
        fields[slot.TENSORS] = head.tables(tensors)
    return head.copy("SubGraph", subgraph.table, fields)


def _constant(head: Head, model: Model, row: FrozenRead) -> int:
    """The READ_VARIABLE's output tensor over the constant's buffer, its shape now fixed.

    Quantisation stays the output's own: a variable holds bytes, not scales.
    """
    tensor = model.subgraph(row.subgraph).tensor(row.tensor)
    slot = schema.Tensor
    fields = {slot.BUFFER: row.buffer}
    if tensor.shape != row.shape or not tensor.has_rank:
        fields[slot.SHAPE] = head.numbers(row.shape)
        fields[slot.HAS_RANK] = 1
        fields[slot.SHAPE_SIGNATURE] = head.numbers(row.shape)
    return head.copy("Tensor", tensor.table, fields)
