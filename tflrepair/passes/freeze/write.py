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
    return relocation.prefixed(model, lambda head: _build(head, model, plan))


def _build(head: Head, model: Model, plan: FreezePlan) -> bytes:
    subgraphs = [_subgraph(head, model, plan, index) for index in range(len(model.subgraphs))]
    fields = {schema.Model.SUBGRAPHS: head.tables(subgraphs)}
    if any(row.outside for row in model.buffers):
        fields[schema.Model.BUFFERS] = head.tables(relocation.buffers(head, model))
    return head.finish(head.copy("Model", model.root, fields))


def _subgraph(head: Head, model: Model, plan: FreezePlan, index: int) -> int:
    subgraph = model.subgraph(index)
    constants = plan.by_subgraph.get(index, [])
    kept = [o for o in subgraph.operators if OperatorRef(index, o.index) not in plan.dropped]
    moved = any(map(relocation.has_position, kept))
    if not (constants or moved) and len(kept) == subgraph.operator_count:
        return head.old(subgraph.table.pos)
    slot = schema.SubGraph
    tensors = [head.old(p) for p in subgraph.table.tables(slot.TENSORS)]
    operators = []
    for operator in kept:
        row = plan.widened.get(OperatorRef(index, operator.index))
        if row is None or row.widened_by is None:
            operators.append(relocation.operator_table(head, operator))
        else:
            operators.append(_widening(head, model, row, row.widened_by, len(tensors)))
            tensors.append(_half(head, model, row))
    for row in constants:
        tensors[row.tensor] = _constant(head, model, row)
    fields = {slot.OPERATORS: head.tables(operators)}
    if constants:
        fields[slot.TENSORS] = head.tables(tensors)
    return head.copy("SubGraph", subgraph.table, fields)


def _constant(head: Head, model: Model, row: FrozenRead) -> int:
    """The READ_VARIABLE's output tensor over the constant's buffer, its shape now fixed.

    Of a widened constant, only the shape is fixed. Quantisation stays the output's own: a variable
    holds bytes, not scales.
    """
    tensor = model.subgraph(row.site.subgraph).tensor(row.tensor)
    slot = schema.Tensor
    fields = {} if row.widened_by else {slot.BUFFER: row.buffer}
    if tensor.shape != row.shape or not tensor.has_rank:
        fields[slot.SHAPE] = head.numbers(row.shape)
        fields[slot.HAS_RANK] = 1
        fields[slot.SHAPE_SIGNATURE] = head.numbers(row.shape)
    return head.copy("Tensor", tensor.table, fields) if fields else head.old(tensor.table.pos)


def _half(head: Head, model: Model, row: FrozenRead) -> int:
    """The float16 constant as a tensor of the reader's subgraph."""
    name = model.subgraph(row.site.subgraph).tensor(row.tensor).name
    slot = schema.Tensor
    fields = {
        slot.SHAPE: head.numbers(row.shape),
        slot.TYPE: schema.TensorType.FLOAT16,
        slot.BUFFER: row.buffer,
        slot.NAME: head.string(f"{name}/float16"),
        slot.HAS_RANK: 1,
    }
    return head.table("Tensor", fields)


def _widening(head: Head, model: Model, row: FrozenRead, site: OperatorRef, half: int) -> int:
    """A DEQUANTIZE of the tensor ``half`` like the one at ``site``, in place of the read."""
    maker = model.subgraph(site.subgraph).operators[site.operator]
    slot = schema.Operator
    fields = {slot.INPUTS: head.numbers((half,)), slot.OUTPUTS: head.numbers((row.tensor,))}
    return head.copy("Operator", maker.table, fields)
