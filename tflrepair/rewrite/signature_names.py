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
    stream = io.BytesIO()
    relocation.prefixed(model, lambda head: _head(model, head, wanted, keys)).write(stream)
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
    fields = {} if name is None else {schema.SubGraph.NAME: head.string(name)}
    return relocation.subgraph_table(head, subgraph, fields)


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
        slot.INPUTS: head.tensor_maps(_ordered(inputs, first)),
        slot.OUTPUTS: head.tensor_maps(_ordered(signature.outputs, second)),
    }
    return head.copy("SignatureDef", table, fields)


def _ordered(rows: Sequence[tuple[str, int]], order: Sequence[str]) -> Sequence[tuple[str, int]]:
    """``rows`` in that order, if it names exactly what they do."""
    if {name for name, _ in rows} != set(order):
        return rows
    return sorted(rows, key=lambda row: order.index(row[0]))
