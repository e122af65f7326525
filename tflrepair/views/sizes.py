"""Where the bytes of a file are: by buffer, by kind of operator, and what nothing refers to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from tflrepair.format import schema
from tflrepair.format.reader import Table
from tflrepair.format.types import byte_size
from tflrepair.graph.model import Model
from tflrepair.views.tensors import SubgraphView

NOTHING = "(no operator)"
_UNPACKING = (schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.DENSIFY)
_ENDS = 4096  # bytes at each end that tell most buffers of one length apart
_INTEGERS = frozenset(("int32", "int64", "uint32", "uint64", "bool", "string"))


@dataclass(frozen=True)
class BufferUse:
    """A buffer with bytes, and what refers to it.

    Attributes:
        tensors: (subgraph, tensor) pairs; ``metadata`` names of entries.
        kinds: kinds of operators that read it, sorted.
    """

    index: int
    length: int
    tensors: tuple[tuple[int, int], ...]
    metadata: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def referenced(self) -> bool:
        return bool(self.tensors or self.metadata)


@dataclass(frozen=True)
class Sizes:
    """The bytes of a file.

    Attributes:
        buffers: those that have bytes, largest first.
        by_kind: kind of operator -> (operators, bytes of constants that it reads). What several
            kinds read counts for the first of them by name: it adds up to all constants.
        weights, metadata, unreferenced: bytes of buffers; ``structure`` is the rest of the file.
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
    for view in views:
        for number in range(view.subgraph.tensor_count):
            tensor = view.subgraph.tensor(number)
            if not model.buffers[tensor.buffer].length > 0:
                continue
            tensors.setdefault(tensor.buffer, []).append((view.subgraph.index, number))
            kinds.setdefault(tensor.buffer, set()).update(_readers(view, number))
            if _is_parameter(tensor.dtype, tensor.table):
                count = prod(tensor.shape) if min(tensor.shape, default=0) >= 0 else 0
                if byte_size(tensor.dtype, tensor.shape) is not None:
                    parameters[tensor.buffer] = max(parameters.get(tensor.buffer, 0), count)
    named: dict[int, list[str]] = {}
    for name, buffer in model.metadata:
        named.setdefault(buffer, []).append(name)
    rows = tuple(
        BufferUse(
            row.index,
            row.length,
            tuple(tensors.get(row.index, ())),
            tuple(named.get(row.index, ())),
            tuple(sorted(kinds.get(row.index, ()))),
        )
        for row in sorted(model.buffers, key=lambda b: (-b.length, b.index))
        if row.length
    )
    weights = sum(row.length for row in rows if row.tensors)
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
            stored[row.kinds[0] if row.kinds else NOTHING] += row.length
    names = sorted(counts.keys() | stored.keys(), key=lambda n: (-stored[n], -counts[n], n))
    return {name: (counts[name], stored[name]) for name in names}


def repeated(model: Model, rows: tuple[BufferUse, ...]) -> list[tuple[BufferUse, ...]]:
    """Groups of tensors' buffers with the same bytes, largest waste first."""
    groups = [[row for row in rows if row.tensors]]
    for key in (lambda b: len(b), lambda b: (bytes(b[:_ENDS]), bytes(b[-_ENDS:])), _digest):
        groups = [part for group in groups for part in _split(model, group, key)]
    found = [tuple(group) for group in groups]
    return sorted(found, key=lambda group: -group[0].length * (len(group) - 1))


def _split(
    model: Model, group: list[BufferUse], key: Callable[[memoryview], object]
) -> Iterator[list[BufferUse]]:
    """The parts of ``group`` with equal keys that have more than one member."""
    parts: dict[object, list[BufferUse]] = {}
    for row in group:
        parts.setdefault(key(model.buffer_bytes(row.index)), []).append(row)
    yield from (part for part in parts.values() if len(part) > 1)


def _digest(data: memoryview) -> bytes:
    return hashlib.sha256(data).digest()
