"""A .tflite file as frozen objects: Model, Subgraph, Operator, Tensor, Signature, Buffer.

Built on demand from the mapped bytes; weight data is never touched until asked for by
``Model.buffer_bytes``. Names follow the schema (tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from __future__ import annotations

import mmap
import os
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format import schema, sniff
from tflrepair.format.reader import Reader, Table
from tflrepair.graph.columns import Columns, verified
from tflrepair.graph.subgraph import CUSTOM, OperatorCode, Subgraph
from tflrepair.opening import contents
from tflrepair.structure.verify import require_sound


@dataclass(frozen=True, slots=True)
class Buffer:
    """Where the bytes of a buffer are in the file (``start`` 0 and ``length`` 0: none).

    ``outside`` is true for bytes behind the flatbuffer (Buffer.offset and Buffer.size).
    """

    index: int
    start: int
    length: int
    outside: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A SignatureDef: its key, its subgraph, and (name, tensor index) of inputs and outputs."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A model file. ``path`` is None for one that was given as bytes.

    ``salvaged`` is for one that is known to contradict itself and read all the same.
    """

    data: memoryview = field(repr=False)
    path: str | None = None
    salvaged: bool = False

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.data)

    @cached_property
    def root(self) -> Table:
        return self.reader.root()

    @property
    def size(self) -> int:
        return len(self.data)

    def forget(self, start: int, end: int) -> None:
        """Let the system take back the memory of mapped bytes that have been copied.

        They stay readable. Without it, copying a large model would hold all of it in memory.
        """
        whole = self.data.obj
        pages = range(-(-start // mmap.PAGESIZE), end // mmap.PAGESIZE)
        if isinstance(whole, mmap.mmap) and pages and hasattr(mmap, "MADV_DONTNEED"):
            at, length = pages.start * mmap.PAGESIZE, len(pages) * mmap.PAGESIZE
            whole.madvise(mmap.MADV_DONTNEED, at, length)

    @property
    def is_mapped(self) -> bool:
        """Whether ``data`` is a map of the file, which then must not be cut short or renamed."""
        return isinstance(self.data.obj, mmap.mmap)

    @cached_property
    def version(self) -> int:
        return self.root.scalar(schema.Model.VERSION, "I")

    @cached_property
    def description(self) -> str:
        return self.root.string(schema.Model.DESCRIPTION) or ""

    @cached_property
    def operator_codes(self) -> tuple[OperatorCode, ...]:
        tables = self.root.tables(schema.Model.OPERATOR_CODES)
        return tuple(self._operator_code(i, self.reader.table(p)) for i, p in enumerate(tables))

    def _operator_code(self, index: int, table: Table) -> OperatorCode:
        slot = schema.OperatorCode
        old = table.scalar(slot.DEPRECATED_BUILTIN_CODE, "b")
        # Codes above 126 do not fit the old field, which then says 127; readers take the larger
        # (GetBuiltinCode in tensorflow/compiler/mlir/lite/schema/schema_utils.cc).
        code = max(old, table.scalar(slot.BUILTIN_CODE, "i"))
        name = schema.BUILTIN_OPERATOR_NAMES.get(code, f"BUILTIN {code}")
        if code == CUSTOM:
            name = table.string(slot.CUSTOM_CODE) or "CUSTOM"
        return OperatorCode(index, code, name, table.scalar(slot.VERSION, "i", 1))

    @cached_property
    def subgraphs(self) -> tuple[Subgraph, ...]:
        tables = self.root.tables(schema.Model.SUBGRAPHS)
        known = self.__dict__.get("_columns") or [None] * len(tables)
        return tuple(
            Subgraph(i, self.reader.table(p), self.operator_codes, known[i])
            for i, p in enumerate(tables)
        )

    def subgraph(self, index: int) -> Subgraph:
        """Raises BadFileError for an index that the model does not have."""
        if not 0 <= index < len(self.subgraphs):
            raise BadFileError(f"subgraph {index} does not exist; there are {len(self.subgraphs)}")
        return self.subgraphs[index]

    @cached_property
    def _buffers(self) -> list[int]:
        return self.root.tables(schema.Model.BUFFERS)

    @property
    def buffer_count(self) -> int:
        return len(self._buffers)

    @cached_property
    def buffers(self) -> tuple[Buffer, ...]:
        return tuple(self._buffer(i, p) for i, p in enumerate(self._buffers))

    def buffer(self, index: int) -> Buffer:
        """One of ``buffers``. Raises BadFileError if there is no such buffer."""
        if not 0 <= index < self.buffer_count:
            raise BadFileError(f"buffer {index} does not exist; there are {self.buffer_count}")
        return self._buffer(index, self._buffers[index])

    def _buffer(self, index: int, pos: int) -> Buffer:
        slot = schema.Buffer
        try:
            table = self.reader.table(pos)
            start, length = table.span(slot.DATA) or (0, 0)
            offset = table.scalar(slot.OFFSET, "Q")
            # 0 is "absent" and 1 the converter's placeholder while it lays the file out
            if offset <= 1 or length:
                return Buffer(index, start if length else 0, length, False)
            length = table.scalar(slot.SIZE, "Q")
            if offset + length > self.size:
                raise self.reader.beyond(offset, length)
            return Buffer(index, offset, length, True)
        except TflRepairError as error:
            raise error.within(f"buffer {index}") from None

    def buffer_bytes(self, index: int) -> memoryview:
        """The bytes of a buffer, not copied. Raises BadFileError if there is no such buffer."""
        row = self.buffer(index)
        return self.data[row.start : row.start + row.length]

    @cached_property
    def metadata(self) -> tuple[tuple[str, int], ...]:
        """(name, buffer index) of each entry."""
        slot = schema.Metadata
        tables = map(self.reader.table, self.root.tables(schema.Model.METADATA))
        return tuple((t.string(slot.NAME) or "", t.scalar(slot.BUFFER, "I")) for t in tables)

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        tables = self.root.tables(schema.Model.SIGNATURE_DEFS)
        return tuple(self._signature(i, self.reader.table(p)) for i, p in enumerate(tables))

    def _signature(self, index: int, table: Table) -> Signature:
        slot = schema.SignatureDef
        try:
            number = table.scalar(slot.SUBGRAPH_INDEX, "I")
            subgraph = self.subgraph(number)
            maps = [
                self._tensor_maps(table, which, subgraph) for which in (slot.INPUTS, slot.OUTPUTS)
            ]
        except TflRepairError as error:
            raise error.within(f"signature {index}") from None
        return Signature(table.string(slot.SIGNATURE_KEY) or "", number, maps[0], maps[1])

    def _tensor_maps(
        self, table: Table, slot: int, subgraph: Subgraph
    ) -> tuple[tuple[str, int], ...]:
        rows = []
        for pos in table.tables(slot):
            row = self.reader.table(pos)
            index = row.scalar(schema.TensorMap.TENSOR_INDEX, "I")
            subgraph.check_indices((index,), 0)
            rows.append((row.string(schema.TensorMap.NAME) or "", index))
        return tuple(rows)

    def renamed(self, path: str) -> Model:
        """The same model under another path; what was read of it stays read."""
        twin = copy(self)
        object.__setattr__(twin, "path", path)
        return twin

    def walk(self) -> None:
        """Verify the whole file, so that damage anywhere is found now and not halfway.

        Raises:
            DamagedError: with every fault that the file has.
        """
        if not self.salvaged:
            _ = self._columns

    @cached_property
    def _columns(self) -> tuple[Columns, ...]:
        """What the verification has decoded of each subgraph. Raises DamagedError."""
        return verified(require_sound(self.data, self.path))


def from_bytes(data: bytes | memoryview, path: str | None = None) -> Model:
    """A Model over ``data``, which must begin like a .tflite file (BadFileError otherwise)."""
    view = memoryview(data)
    sniff.check_head(bytes(view[:512]), len(view))
    return Model(view, path)


def load(path: str | os.PathLike[str]) -> Model:
    """Open a .tflite file: read it, or map it if it is large.

    Raises:
        BadFileError: it cannot be opened or is another kind of file. Damage shows later: ``walk``.
    """
    name = os.fspath(path)
    try:
        sniff.check_kind(Path(name))
        return from_bytes(contents(name), name)
    except TflRepairError as error:
        if error.where == name:  # ``contents`` has named the file already
            raise
        raise error.within(name) from None
