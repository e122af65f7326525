"""Other keys and names for a model's signatures, by new tables in front of the old ones.

Every byte of the old file stays; subgraphs, tensors and buffers keep their indices.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from tflrepair.format import schema
from tflrepair.format.reader import Table
from tflrepair.format.splice import Head
from tflrepair.graph.model import Model, Signature, from_bytes
from tflrepair.graph.subgraph import Subgraph
from tflrepair.rewrite import relocation

# New input name by present name, then the inputs and the outputs in order, by their new names.
Names = tuple[Mapping[str, str], Sequence[str], Sequence[str]]

_NOTHING: Mapping[str, str] = {}


def rename_signatures(
    data: bytes, wanted: Mapping[str, Names], keys: Mapping[str, str] = _NOTHING
) -> bytes:
    """Give signatures their keys and input names, and inputs and outputs their order.

    Converters sort by name, take identifiers only, and lay subgraphs out in the order of their
    signatures' keys.

    Args:
        wanted: by (new) key. An order that does not name exactly what a signature has is not used.
        keys: new key by present key; the subgraph that a signature leads to gets that name, too.

    Raises:
        UnsupportedError: a table that must be copied has a field newer than our schema, or the
            flatbuffer would become too large.
    """
    model = from_bytes(data)
    head = relocation.empty_head(model)
    new = _head(model, head, wanted, keys)
    if head.absolute:  # positions behind the flatbuffer move by the head's length
        new = _head(model, relocation.empty_head(model, len(new)), wanted, keys)
    stream = io.BytesIO()
    relocation.in_front(model, new).write(stream)
    return stream.getvalue()


def _head(model: Model, head: Head, wanted: Mapping[str, Names], keys: Mapping[str, str]) -> bytes:
    slot = schema.Model
    rows = zip(model.signatures, model.root.tables(slot.SIGNATURE_DEFS), strict=True)
    names = {row.subgraph: keys[row.key] for row in model.signatures if row.key in keys}
    fields = {
        slot.SIGNATURE_DEFS: head.tables(
            [_signature(head, row, model.reader.table(pos), wanted, keys) for row, pos in rows]
        ),
        slot.SUBGRAPHS: head.tables(
            [_subgraph(head, subgraph, names.get(subgraph.index)) for subgraph in model.subgraphs]
        ),
        slot.BUFFERS: head.tables(relocation.buffers(head, model)),
    }
    return head.finish(head.copy("Model", model.root, fields))


def _subgraph(head: Head, subgraph: Subgraph, name: str | None) -> int:
    slot, fields = schema.SubGraph, {}
    if name is not None:
        fields[slot.NAME] = head.string(name)
    if any(map(relocation.has_position, subgraph.operators)):
        rows = [relocation.operator_table(head, operator) for operator in subgraph.operators]
        fields[slot.OPERATORS] = head.tables(rows)
    if not fields:
        return head.old(subgraph.table.pos)
    return head.copy("SubGraph", subgraph.table, fields)


def _signature(
    head: Head,
    signature: Signature,
    table: Table,
    wanted: Mapping[str, Names],
    keys: Mapping[str, str],
) -> int:
    key = keys.get(signature.key, signature.key)
    renamed, *orders = wanted.get(key, ({}, (), ()))
    inputs = [(renamed.get(name, name), index) for name, index in signature.inputs]
    slot, (first, second) = schema.SignatureDef, orders
    fields = {
        slot.SIGNATURE_KEY: head.string(key),
        slot.INPUTS: _maps(head, inputs, first),
        slot.OUTPUTS: _maps(head, signature.outputs, second),
    }
    return head.copy("SignatureDef", table, fields)


def _maps(head: Head, rows: Sequence[tuple[str, int]], order: Sequence[str]) -> int:
    if {name for name, _ in rows} == set(order):
        rows = sorted(rows, key=lambda row: order.index(row[0]))
    slot = schema.TensorMap
    return head.tables(
        [
            head.table("TensorMap", {slot.NAME: head.string(name), slot.TENSOR_INDEX: index})
            for name, index in rows
        ]
    )
