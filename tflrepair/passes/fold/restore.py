"""Puts back what MLIR's exporter drops or renames, by new tables in front of its output.

MLIR keeps subgraphs, and the inputs and outputs of each, in their order; by that order names
and signatures are put back. Metadata comes back as it was, but for ``min_runtime_version``, which
rises if the folded operators need a newer runtime.
"""

from __future__ import annotations

from tflrepair.errors import RefusedError
from tflrepair.format import schema, zipped
from tflrepair.format.splice import VECTOR_ALIGNMENT, Head
from tflrepair.graph.model import Model, Signature
from tflrepair.graph.subgraph import Subgraph
from tflrepair.rewrite import relocation

_RUNTIME = "min_runtime_version"


def restore(before: Model, after: Model) -> relocation.Prefixed:
    """``after`` with the names, signatures, metadata and appended files of ``before``.

    Raises:
        RefusedError: a signature names a tensor that is no input or output of its subgraph, or
            the number of subgraphs, inputs or outputs is not the same any more.
    """
    _check_shape(before, after)
    head = _Restorer(before, after).build()
    tail = zipped.appended(before.source, len(head) + after.size)
    return relocation.in_front(after, head, tail)


def _check_shape(before: Model, after: Model) -> None:
    def counts(model: Model) -> list[tuple[int, int]]:
        return [(len(subgraph.inputs), len(subgraph.outputs)) for subgraph in model.subgraphs]

    if counts(before) != counts(after):
        raise RefusedError("folding changes the subgraphs, so the result was discarded")


class _Restorer:
    def __init__(self, before: Model, after: Model) -> None:
        self.before = before
        self.after = after
        self.head: Head = relocation.empty_head(after)
        self.buffers = relocation.buffers(self.head, after)

    def build(self) -> bytes:
        head, slot = self.head, schema.Model
        subgraphs = [self._subgraph(index) for index in range(len(self.after.subgraphs))]
        metadata = [self._metadata(name, buffer) for name, buffer in self.before.metadata]
        signatures = [self._signature(row) for row in self.before.signatures]
        fields = {
            slot.VERSION: self.before.version,
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.DESCRIPTION: head.string(self.before.description),
            slot.BUFFERS: head.tables(self.buffers),
            slot.METADATA: head.tables(metadata),
            slot.SIGNATURE_DEFS: head.tables(signatures),
        }
        return head.finish(head.copy("Model", self.after.root, fields))

    def _subgraph(self, index: int) -> int:
        old, new = self.before.subgraph(index), self.after.subgraph(index)
        slot = schema.SubGraph
        fields = {}
        renamed = _renamed(old, new)
        if renamed:
            tensors = [self.head.old(p) for p in new.table.tables(slot.TENSORS)]
            for number, name in renamed.items():
                name_field = {schema.Tensor.NAME: self.head.string(name)}
                table = new.tensor(number).table
                tensors[number] = self.head.copy("Tensor", table, name_field)
            fields[slot.TENSORS] = self.head.tables(tensors)
        if old.name != new.name:
            fields[slot.NAME] = self.head.string(old.name)
        if not fields:
            return self.head.old(new.table.pos)
        return self.head.copy("SubGraph", new.table, fields)

    def _metadata(self, name: str, buffer: int) -> int:
        data = bytes(self.before.buffer_bytes(buffer))
        if name == _RUNTIME:
            data = max(data, self._exported(name), key=_version)
        slot = schema.Metadata
        fields = {slot.NAME: self.head.string(name), slot.BUFFER: self._buffer(name, data)}
        return self.head.table("Metadata", fields)

    def _exported(self, name: str) -> bytes:
        """What MLIR's exporter wrote under ``name``."""
        found = [buffer for known, buffer in self.after.metadata if known == name]
        return bytes(self.after.buffer_bytes(found[0])) if found else b""

    def _buffer(self, name: str, data: bytes) -> int:
        """The index of a buffer with ``data``: the one of MLIR's output if it is the same."""
        for known, buffer in self.after.metadata:
            if known == name and self.after.buffer_bytes(buffer) == data:
                return buffer
        builder = self.head.builder
        builder.StartVector(1, len(data), VECTOR_ALIGNMENT)
        builder.head = builder.Head() - len(data)
        builder.Bytes[builder.Head() : builder.Head() + len(data)] = data
        offset = builder.EndVector()
        self.buffers.append(self.head.table("Buffer", {schema.Buffer.DATA: offset}))
        return len(self.buffers) - 1

    def _signature(self, row: Signature) -> int:
        old, new = self.before.subgraph(row.subgraph), self.after.subgraph(row.subgraph)
        inputs = [(n, _moved(t, old.inputs, new.inputs, row)) for n, t in row.inputs]
        outputs = [(n, _moved(t, old.outputs, new.outputs, row)) for n, t in row.outputs]
        return self.head.signature(row.key, row.subgraph, inputs, outputs)


def _renamed(old: Subgraph, new: Subgraph) -> dict[int, str]:
    """Inputs and outputs of ``new`` by tensor index whose names must be put back."""
    names: dict[int, str] = {}
    pairs = list(zip(old.inputs, new.inputs, strict=True))
    pairs += zip(old.outputs, new.outputs, strict=True)
    for before, after in pairs:
        names.setdefault(after, old.tensor(before).name)
    return {index: name for index, name in names.items() if new.tensor(index).name != name}


def _moved(tensor: int, old: tuple[int, ...], new: tuple[int, ...], row: Signature) -> int:
    if tensor not in old:
        raise RefusedError(
            f"signature `{row.key}` names a tensor that its subgraph does not give out, "
            "which folding would lose"
        )
    return new[old.index(tensor)]


def _version(data: bytes) -> tuple[int, ...]:
    """``b"2.6.0\\0\\0"`` -> ``(2, 6, 0)``; nothing for what is no version."""
    parts = data.rstrip(b"\0").split(b".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else ()
