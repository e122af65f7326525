"""The description of a sparse tensor is contradictory.

What: a sparse constant says in which order its dimensions are stored, and for each whether it is
dense or a list of segments and indices. These must agree with the shape, with each other and with
the bytes in the buffer (tensorflow/lite/core/tools/verifier.cc, VerifyAndCountSparseElements).

Why it matters: the kernel that unpacks the tensor (DENSIFY) writes where the indices say.

Example: an index of 300 in a dimension of 64.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tflrepair.structure.rows import Rows
from tflrepair.structure.rules.tensors.tfr113_constant import BITS
from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR115"
_DENSE, _CSR = 0, 1
_KINDS = ((1, "Int32Vector", "i"), (2, "Uint16Vector", "H"), (3, "Uint8Vector", "B"))


def check(subject: Subject) -> None:
    tensors = subject.of("Tensor")
    index = subject.of("SparsityParameters").index
    for row, pos in enumerate(tensors.ref("sparsity")):
        if pos > 0 and pos in index:
            wrong = _Sparse(subject, index[pos]).wrong(subject, row)
            if wrong:
                subject.fault(CODE, tensors, row, "sparsity", wrong)


class _Sparse:
    """The parts of one SparsityParameters."""

    def __init__(self, subject: Subject, row: int) -> None:
        rows = subject.of("SparsityParameters")
        self.order = subject.vector(rows, "traversal_order", rows.ref("traversal_order")[row])
        self.blocks = subject.vector(rows, "block_map", rows.ref("block_map")[row])
        self.levels = subject.numbers("DimensionMetadata", rows.children("dim_metadata")[row])
        self.complete = rows.ref("traversal_order")[row] > 0 and rows.ref("dim_metadata")[row] > 0

    def wrong(self, subject: Subject, tensor: int) -> str:
        shape = subject.shapes[tensor]
        rank, total = len(shape), len(self.order)
        if not self.complete:
            return "it lacks the order of its dimensions or their description"
        if len(self.levels) != total or total < rank or len(self.blocks) != total - rank:
            return (
                f"{plural(total, 'dimension is', 'dimensions are')} described, {rank} are in "
                "the shape"
            )
        if total > 64 or (shape and min(shape) < 0) or -1 in self.levels:
            return (
                ""
                if total <= 64
                else f"{plural(total, 'dimension is', 'dimensions are')} described"
            )
        halves = (self.order[:rank], range(rank)), (self.order[rank:], range(rank, total))
        if any(sorted(part) != list(wanted) for part, wanted in halves):
            return f"the order of dimensions {self.order} is not a permutation"
        return self._sizes(subject, tensor, shape)

    def _sizes(self, subject: Subject, tensor: int, shape: Sequence[int]) -> str:
        rows = subject.of("DimensionMetadata")
        rank = len(shape)
        sizes = [*shape, *([0] * len(self.blocks))]
        for number, mapped in enumerate(self.blocks):
            size = rows.column("dense_size")[self.levels[rank + number]]
            if size <= 0 or not 0 <= mapped < rank:
                return "a block has no size or belongs to no dimension"
            sizes[self.order[rank + number]] = size
            sizes[mapped] //= size
        count = 1
        for dimension, level in zip(self.order, self.levels, strict=True):
            count_or_text = _level(subject, rows, level, sizes[dimension], count)
            if isinstance(count_or_text, str):
                return count_or_text
            count = count_or_text
        data, bits = subject.data[tensor], BITS.get(subject.types[tensor], 0)
        if data and (count * bits + 7) // 8 > data[1]:
            return (
                f"{plural(count, 'element is', 'elements are')} described, and the buffer has "
                f"{plural(data[1], 'byte')}"
            )
        return ""


def _level(subject: Subject, rows: Rows, level: int, size: int, count: int) -> int | str:
    """How many elements there are after one dimension, or what is wrong with it."""
    form = rows.column("format")[level]
    if form == _DENSE:
        if rows.column("dense_size")[level] != size:
            return f"a dense dimension says {rows.column('dense_size')[level]} instead of {size}"
        return count * size
    if form != _CSR:
        return f"there is no format {form} of a dimension"
    segments = _indices(subject, rows, level, "array_segments")
    indices = _indices(subject, rows, level, "array_indices")
    if segments is None or indices is None:
        return "a sparse dimension lacks its segments or indices"
    if len(segments) != count + 1 or segments[-1] != len(indices) or segments[0] < 0:
        return (
            f"its segments do not describe {plural(count, 'row')} of "
            f"{plural(len(indices), 'index', 'indices')}"
        )
    if any(a > b for a, b in pairwise(segments)):
        return "its segments are not in ascending order"
    if indices and (min(indices) < 0 or max(indices) >= size):
        return f"an index lies outside the dimension of {size}"
    return len(indices)


def _indices(subject: Subject, rows: Rows, level: int, name: str) -> list[int] | None:
    kind, pos = rows.column(name + "_type")[level], rows.ref(name)[level]
    for number, table, letter in _KINDS:
        if kind == number and pos > 0:
            vectors = subject.of(table)
            row = vectors.index.get(pos, -1)
            target = vectors.ref("values")[row] if row >= 0 else 0
            return subject.vector(vectors, "values", target, letter) if target > 0 else None
    return None
