"""Room in front of a flatbuffer of almost 2 GiB: new tables, and the values where they are.

Runtimes read the first ``LARGEST_FLATBUFFER`` bytes of a flatbuffer. In a file that fills them,
even a small head would push tables out of sight. So all tables are copied into a new head, once,
and each value is referred to by its position in the file (Buffer.offset, Buffer.size), which may
lie anywhere. The old bytes stay behind the head; of them only the values are used.
"""

from __future__ import annotations

from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.splice import Head
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Subgraph
from tflrepair.rewrite import relocation
from tflrepair.rewrite.contract import Change
from tflrepair.rewrite.deep_copy import copy

_LARGEST_METADATA = 1 << 26  # bytes; converters write a few KB, debug metadata some MB


class OutsidePass:
    """Tables in front, values where they are. Everything keeps its index.

    Idempotent in effect: a file that has been given room is not in want of it again.
    """

    title = "making room for new tables"

    def requires(self, before: AnalysisContext) -> None:
        """Raises UnsupportedError where metadata is too large to be copied.

        Runtimes look for it inside the flatbuffer only.
        """
        for name, index in before.model.metadata:
            length = before.model.buffer(index).length
            if length > _LARGEST_METADATA:
                raise UnsupportedError(
                    f"the metadata {name!r} of {length} bytes keeps new tables out of reach; at "
                    f"most {_LARGEST_METADATA} bytes can be moved",
                    where=before.model.path,
                    hint="remove the metadata, or convert the model in parts; nothing was written",
                )

    def apply(self, before: AnalysisContext, work: Path) -> Change:
        """Raises UnsupportedError where a table has a field newer than our schema."""
        model = before.model
        data = _build(relocation.empty_head(model), model)
        data = _build(relocation.empty_head(model, len(data)), model)
        return Change(
            relocation.Prefixed(model, data),
            "its values are referred to by Buffer.offset now: with more tables, the flatbuffer "
            "would pass 2 GiB",
        )

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        """Raises RefusedError if anything but the place of the values has changed."""
        if _facts(before.model) != _facts(after.model):
            raise RefusedError("making room failed its own check; nothing was written")


def _build(head: Head, model: Model) -> bytes:
    slot = schema.Model
    fields = {
        slot.SUBGRAPHS: head.tables([_subgraph(head, subgraph) for subgraph in model.subgraphs]),
        slot.BUFFERS: head.tables(_buffers(head, model)),
    }
    return head.finish(copy(head, model.root, "Model", fields))


def _buffers(head: Head, model: Model) -> list[int]:
    described = {index for _, index in model.metadata}
    slot, offsets = schema.Buffer, []
    for row in model.buffers:
        fields = {}
        if row.index in described:
            fields = {slot.DATA: head.data(bytes(model.buffer_bytes(row.index)))}
        elif row.length:
            fields = {slot.OFFSET: head.shifted(row.start), slot.SIZE: row.length}
        offsets.append(head.table("Buffer", fields))
    return offsets


def _subgraph(head: Head, subgraph: Subgraph) -> int:
    slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
    operators = []
    for operator in subgraph.operators:
        fields = {}
        if relocation.has_position(operator):
            fields[slot] = head.shifted(operator.table.scalar(slot, "Q"))
        operators.append(copy(head, operator.table, "Operator", fields))
    return copy(
        head, subgraph.table, "SubGraph", {schema.SubGraph.OPERATORS: head.tables(operators)}
    )


def _facts(model: Model) -> tuple[object, ...]:
    """What must stay: all of the graph, and how long each value is."""
    subgraphs = []
    for subgraph in model.subgraphs:
        operators = [(o.code, o.inputs, o.outputs) for o in subgraph.operators]
        tensors = [subgraph.tensor(index) for index in range(subgraph.tensor_count)]
        kinds = [(t.name, t.shape, t.dtype, t.buffer) for t in tensors]
        subgraphs.append((subgraph.name, subgraph.inputs, subgraph.outputs, operators, kinds))
    values = [row.length for row in model.buffers]
    return subgraphs, values, model.signatures, model.metadata, model.description
