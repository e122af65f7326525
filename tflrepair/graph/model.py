"""A .tflite file as frozen objects: Model, Subgraph, Operator, Tensor, Signature, Buffer.

Built on demand from the bytes of the file; weight data is never touched until asked for by
``Model.buffer_bytes``. Names follow the schema (tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias, overload

from tflrepair.errors import BadFileError, TflRepairError, UserError, masked
from tflrepair.format import schema, sniff
from tflrepair.format.reader import Reader, Table
from tflrepair.graph.buffers import Buffer, ExternalBuffer, buffer_at, external_buffers
from tflrepair.graph.columns import Columns, handles, verified
from tflrepair.graph.subgraph import CUSTOM, OperatorCode, Subgraph
from tflrepair.sources.opened import is_address, open_source
from tflrepair.sources.source import ByteSource, MemorySource
from tflrepair.structure.verify import require_sound
from tflrepair.wording import kind_of

_PIECE = 1 << 24  # bytes of a file that are copied at once


@dataclass(frozen=True, slots=True)
class Signature:
    """A SignatureDef: its key, its subgraph, and (name, tensor index) of inputs and outputs."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


class Signatures(tuple[Signature, ...]):
    """The signatures of a model in the order of the file, by place or by key."""

    @overload
    def __getitem__(self, which: str | SupportsIndex) -> Signature: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[Signature, ...]: ...
    def __getitem__(self, which: Any) -> Any:
        """Raises UserError for a key that the model does not have."""
        if not isinstance(which, str):
            return super().__getitem__(which)
        for row in self:
            if row.key == which:
                return row
        raise UserError(
            f"the model has no signature {which!r}",
            hint=f"it has {', '.join(row.key for row in self) or 'none at all'}",
        )


@dataclass(frozen=True, eq=False)
class Model:
    """A model file. ``path`` is None for one that was given as bytes.

    ``salvaged`` is for one that is known to contradict itself and read all the same. ``address`` is
    that of one on a server; it may have a password, which ``path`` never has.
    """

    source: ByteSource = field(repr=False)
    path: str | None = None
    salvaged: bool = False
    address: str | None = field(default=None, repr=False)

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.source)

    @cached_property
    def root(self) -> Table:
        return self.reader.root()

    @property
    def size(self) -> int:
        return self.source.size

    def read(self, start: int, count: int) -> memoryview:
        """``count`` bytes of the file from ``start`` on. Raises BadFileError if it has fewer."""
        return self.source.read(start, count)

    @property
    def data(self) -> memoryview:
        """All bytes of the file, which are read now if it is not in memory."""
        return self.read(0, self.size)

    def copy_to(self, path: Path) -> None:
        """Write the file, a piece at a time.

        Raises:
            BadFileError: it cannot be read any more.
            OSError: it cannot be written.
        """
        with path.open("wb") as stream:
            for start in range(0, self.size, _PIECE):
                stream.write(self.read(start, min(_PIECE, self.size - start)))

    @property
    def is_open(self) -> bool:
        """Whether a file is read as long as this is used: Windows does not rename such a file."""
        return not isinstance(self.source, MemorySource)

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
        return tuple(buffer_at(self.reader, i, p) for i, p in enumerate(self._buffers))

    def buffer(self, index: int) -> Buffer:
        """One of ``buffers``. Raises BadFileError if there is no such buffer."""
        if not 0 <= index < self.buffer_count:
            raise BadFileError(f"buffer {index} does not exist; there are {self.buffer_count}")
        return buffer_at(self.reader, index, self._buffers[index])

    def buffer_bytes(self, index: int) -> memoryview:
        """The bytes of a buffer. Raises BadFileError if there is no such buffer."""
        row = self.buffer(index)
        return self.source.read(row.start, row.length)

    def buffer_pieces(self, index: int) -> Iterator[memoryview]:
        """``buffer_bytes`` in pieces of some megabytes: of a large file not all is in memory."""
        row = self.buffer(index)
        end = row.start + row.length
        for start in range(row.start, end, _PIECE):
            yield self.source.read(start, min(_PIECE, end - start))

    @cached_property
    def external_buffers(self) -> dict[int, ExternalBuffer]:
        """By id: bytes in other files, which Tensor.external_buffer names."""
        return external_buffers(self.root)

    @cached_property
    def metadata(self) -> tuple[tuple[str, int], ...]:
        """(name, buffer index) of each entry."""
        slot = schema.Metadata
        tables = map(self.reader.table, self.root.tables(schema.Model.METADATA))
        return tuple((t.string(slot.NAME) or "", t.scalar(slot.BUFFER, "I")) for t in tables)

    @cached_property
    def signatures(self) -> Signatures:
        tables = self.root.tables(schema.Model.SIGNATURE_DEFS)
        return Signatures(self._signature(i, self.reader.table(p)) for i, p in enumerate(tables))

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
        object.__setattr__(twin, "address", None)
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
        subject = require_sound(self.source, self.path)
        self.reader.decoded.update(handles(subject))
        return verified(subject)


# What every function takes that looks at a model
Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Model


def from_bytes(data: bytes | memoryview, path: str | None = None) -> Model:
    """A Model over ``data``, which must begin like a .tflite file (BadFileError otherwise)."""
    return from_source(MemorySource(data), path)


def from_source(source: ByteSource, path: str | None = None) -> Model:
    """A Model over what ``source`` reads; else as ``from_bytes``."""
    sniff.check_head(bytes(source.read(0, min(512, source.size))), source.size)
    if path is not None and is_address(path):
        return Model(source, masked(path), address=path)
    return Model(source, path)


def check_given(source: Source) -> None:
    """Raises UserError for what cannot be a model: neither bytes, nor a Model, nor a path."""
    if isinstance(source, bytes | bytearray | memoryview | Model):
        return
    if not isinstance(source, str | os.PathLike):
        raise UserError(
            f"{kind_of(source)} is not a model",
            hint="give the path of a .tflite file, its bytes, or a tflrepair.Model",
        )
    if not os.fspath(source):
        raise UserError("the path of the model is empty")


def load(source: Source) -> Model:
    """Open a model.

    Args:
        source: the path of a .tflite file, which is read, or kept open if it is large; an address
            that fsspec reads (``https://``, ``s3://``), of which only what is needed is fetched;
            the bytes of a file; or a Model, which comes back as it is.

    Raises:
        BadFileError: it cannot be opened or is another kind of file. Damage shows later: ``walk``.
        UnsupportedError: a package is missing that reads such an address.
        UserError: the source is none of these.
    """
    check_given(source)
    if isinstance(source, Model):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        return from_bytes(bytes(source) if isinstance(source, bytearray) else source)
    name = os.fspath(source)
    try:
        if not is_address(name):
            sniff.check_kind(Path(name))
        return from_source(open_source(name), name)
    except TflRepairError as error:
        if error.where == masked(name):  # ``open_source`` has named the file already
            raise
        raise error.within(name) from None
