"""Where the bytes of a file are: by buffer, by kind of operator, and what nothing refers to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from tflrepair.format import schema
from tflrepair.format.reader import Table
from tflrepair.format.types import byte_size
from tflrepair.graph.contents import digest, ends
from tflrepair.graph.model import Model
from tflrepair.views.tensors import SubgraphView

NOTHING = "(no operator)"
_UNPACKING = (schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.DENSIFY)
_LEVEL = schema.DimensionMetadata
_INDEX_BYTES = {
    schema.SparseIndexVector.Int32Vector: 4,
    schema.SparseIndexVector.Uint16Vector: 2,
    schema.SparseIndexVector.Uint8Vector: 1,
}
_ENDS = 4096  # bytes at each end that tell most buffers of one length apart
_INTEGERS = frozenset(("int32", "int64", "uint32", "uint64", "bool", "string"))


@dataclass(frozen=True)
class BufferUse:
    """A buffer with bytes, and what refers to it.

    Attributes:
        length: its own bytes; ``indices`` those of the sparse indices of its tensors, which stand
            outside it (SparsityParameters in schema.fbs).
        tensors: (subgraph, tensor) pairs; ``metadata`` names of entries.
        kinds: kinds of operators that read it, sorted.
    """

    index: int
    length: int
    tensors: tuple[tuple[int, int], ...]
    metadata: tuple[str, ...]
    kinds: tuple[str, ...]
    indices: int = 0

    @property
    def stored(self) -> int:
        """Bytes of the constant: values, and indices if it is sparse."""
        return self.length + self.indices

    @property
    def referenced(self) -> bool:
        return bool(self.tensors or self.metadata)


@dataclass(frozen=True)
class Sizes:
    """The bytes of a file.

    Attributes:
        buffers: those that have bytes, largest constant first.
        by_kind: kind of operator -> (operators, bytes of constants that it reads). What several
            kinds read counts for the first of them by name: it adds up to all constants.
        weights, metadata, unreferenced: bytes of buffers, weights with their sparse indices;
            ``structure`` is the rest of the file.
        parameters: buffer -> elements, of constants that are weights: floats, and integers with
            scales. A buffer counts once however many tensors share it.
    """

    total: int
    buffers: tuple[BufferUse, ...]
    by_kind: dict[str, tuple[int, int]]
    weights: int
    metadata: int
    unreferenced: int
    structure: int
    parameters: dict[int, int]

    @property
    def unreferenced_buffers(self) -> tuple[BufferUse, ...]:
        return tuple(row for row in self.buffers if not row.referenced)


def sizes(model: Model, views: tuple[SubgraphView, ...]) -> Sizes:
    """Count every byte once."""
    tensors: dict[int, list[tuple[int, int]]] = {}
    kinds: dict[int, set[str]] = {}
    parameters: dict[int, int] = {}
    indices: Counter[int] = Counter()
    counted: set[int] = set()
    for view in views:
        for number in range(view.subgraph.tensor_count):
            tensor = view.subgraph.tensor(number)
            if not model.buffers[tensor.buffer].length > 0:
                continue
            tensors.setdefault(tensor.buffer, []).append((view.subgraph.index, number))
            kinds.setdefault(tensor.buffer, set()).update(_readers(view, number))
            indices[tensor.buffer] += sparse_bytes(tensor.table, counted)
            if _is_parameter(tensor.dtype, tensor.table):
                count = prod(tensor.shape) if min(tensor.shape, default=0) >= 0 else 0
                if byte_size(tensor.dtype, tensor.shape) is not None:
                    parameters[tensor.buffer] = max(parameters.get(tensor.buffer, 0), count)
    named: dict[int, list[str]] = {}
    for name, buffer in model.metadata:
        named.setdefault(buffer, []).append(name)
    found = (
        BufferUse(
            row.index,
            row.length,
            tuple(tensors.get(row.index, ())),
            tuple(named.get(row.index, ())),
            tuple(sorted(kinds.get(row.index, ()))),
            indices[row.index],
        )
        for row in model.buffers
        if row.length
    )
    rows = tuple(sorted(found, key=lambda row: (-row.stored, row.index)))
    weights = sum(row.stored for row in rows if row.tensors)
    metadata = sum(row.length for row in rows if not row.tensors and row.metadata)
    unreferenced = sum(row.length for row in rows if not row.referenced)
    return Sizes(
        total=model.size,
        buffers=rows,
        by_kind=_by_kind(views, rows),
        weights=weights,
        metadata=metadata,
        unreferenced=unreferenced,
        # buffers may overlap in a crafted file
        structure=max(0, model.size - weights - metadata - unreferenced),
        parameters=parameters,
    )


def sparse_bytes(tensor: Table, counted: set[int]) -> int:
    """Bytes of segments, indices and their order; vectors at places in ``counted`` are left out."""
    sparsity = tensor.table(schema.Tensor.SPARSITY)
    if sparsity is None:
        return 0
    order = (schema.SparsityParameters.TRAVERSAL_ORDER, schema.SparsityParameters.BLOCK_MAP)
    vectors = [(sparsity, slot, 4) for slot in order]
    for pos in sparsity.tables(schema.SparsityParameters.DIM_METADATA):
        level = sparsity.reader.table(pos)
        for slot in (_LEVEL.ARRAY_SEGMENTS, _LEVEL.ARRAY_INDICES):
            item = _INDEX_BYTES.get(level.scalar(slot - 1, "B"))  # its type is the slot before
            vector = level.table(slot) if item else None
            if item and vector is not None:
                vectors.append((vector, 0, item))
    total = 0
    for table, slot, item in vectors:
        place = table.reference(slot)
        if place and place not in counted:
            counted.add(place)
            total += item * table.count(slot, item)
    return total


def _readers(view: SubgraphView, tensor: int) -> set[str]:
    """Kinds of operators that use a constant; DEQUANTIZE and DENSIFY only unpack it for others."""
    found, seen, queue = set(), {tensor}, [tensor]
    while queue:
        for index in view.takers.get(queue.pop(), ()):
            operator = view.operator(index)
            behind = [t for t in operator.outputs if operator.code in _UNPACKING]
            if not any(view.takers.get(t) for t in behind):
                found.add(operator.name)
            queue += [t for t in behind if t not in seen]
            seen.update(behind)
    return found


def _is_parameter(dtype: str, table: Table) -> bool:
    """A float, or an integer that stands for one: shapes, axes and indices have no scale."""
    if dtype not in _INTEGERS:
        return True
    if dtype in ("bool", "string"):
        return False
    quantization = table.table(schema.Tensor.QUANTIZATION)
    return bool(quantization and quantization.count(schema.QuantizationParameters.SCALE))


def _by_kind(
    views: tuple[SubgraphView, ...], rows: tuple[BufferUse, ...]
) -> dict[str, tuple[int, int]]:
    counts = Counter(o.name for view in views for o in view.subgraph.operators)
    stored: Counter[str] = Counter()
    for row in rows:
        if row.tensors:
            stored[row.kinds[0] if row.kinds else NOTHING] += row.stored
    names = sorted(counts.keys() | stored.keys(), key=lambda n: (-stored[n], -counts[n], n))
    return {name: (counts[name], stored[name]) for name in names}


def repeated(model: Model, rows: tuple[BufferUse, ...]) -> list[tuple[BufferUse, ...]]:
    """Groups of tensors' buffers with the same bytes, largest waste first."""
    groups = [[row for row in rows if row.tensors]]
    for key in (_length, _begin_and_end, digest):
        groups = [part for group in groups for part in _split(model, group, key)]
    found = [tuple(group) for group in groups]
    return sorted(found, key=lambda group: -group[0].length * (len(group) - 1))


def _split(
    model: Model, group: list[BufferUse], key: Callable[[Model, int], object]
) -> Iterator[list[BufferUse]]:
    """The parts of ``group`` with equal keys that have more than one member."""
    parts: dict[object, list[BufferUse]] = {}
    for row in group:
        parts.setdefault(key(model, row.index), []).append(row)
    yield from (part for part in parts.values() if len(part) > 1)


def _length(model: Model, index: int) -> int:
    return model.buffer(index).length


def _begin_and_end(model: Model, index: int) -> tuple[bytes, bytes]:
    return ends(model, index, _ENDS)
