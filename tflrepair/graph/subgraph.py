"""The inside of a subgraph as frozen objects: tensors and operators, read when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.reader import Reader, Table
from tflrepair.format.types import type_name
from tflrepair.graph.arrays import Array, decode
from tflrepair.graph.buffers import bytes_of
from tflrepair.graph.columns import (
    Columns,
    OperatorColumns,
    TensorColumns,
    check_indices,
    read_operators,
    read_tensors,
    shape_of,
)

CUSTOM = schema.BuiltinOperator.CUSTOM


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of one subgraph. ``shape`` has -1 where the converter left a dimension open."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    has_rank: bool
    buffer: int
    table: Table = field(repr=False, compare=False)

    def numpy(self) -> Array:
        """The values of a constant, as ``arrays.decode`` gives them.

        Raises:
            BadFileError: the bytes in the file do not fit the type and shape.
            UnsupportedError: the tensor has no bytes in the file, since it is computed, or has
                them in another file, or is stored sparse.
        """
        data = bytes_of(self.table.reader, self.buffer)
        place = f"tensor {self.index} ({self.name!r})"
        if self.table.table(schema.Tensor.SPARSITY) is not None:
            raise UnsupportedError(
                "is stored sparse", where=place, hint="`tflrepair show --tensor` lists its values"
            )
        if not data and 0 not in self.shape:
            raise UnsupportedError("has no values in the file: it is no constant", where=place)
        shape = self.table.numbers(schema.Tensor.SHAPE)
        return decode(data, self.dtype, shape, place)


class Typed(NamedTuple):
    """Type and shape of a tensor, as ``Tensor`` has them."""

    dtype: str
    shape: tuple[int, ...]
    has_rank: bool


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. ``name`` is ``ADD``, ``BUILTIN 250`` (newer than our schema) or a custom code.

    Attributes:
        inputs, outputs: tensor indices of the subgraph; -1 stands for an optional input left out.
        options_type: member of the BuiltinOptions union, ``options2_type`` of BuiltinOptions2.
    """

    subgraph: int
    index: int
    code: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reader: Reader = field(repr=False, compare=False)
    place: int = field(repr=False, compare=False)

    @property
    def table(self) -> Table:
        """The operator's table, for its other fields."""
        return self.reader.table(self.place)

    @property
    def is_custom(self) -> bool:
        return self.code == CUSTOM

    @property
    def is_flex(self) -> bool:
        """A TensorFlow operator that only the Flex delegate runs."""
        return self.code == CUSTOM and self.name.startswith("Flex")

    def options(self, member: int) -> Table | None:
        """The builtin options if they are of union member ``member``, else None."""
        return _union(self.table, schema.Operator.BUILTIN_OPTIONS, member)

    def options2(self, member: int) -> Table | None:
        return _union(self.table, schema.Operator.BUILTIN_OPTIONS_2, member)


def _union(table: Table, slot: int, member: int) -> Table | None:
    """The value of a union, whose type stands in the slot before, if it is ``member``."""
    return table.table(slot) if table.scalar(slot - 1, "B") == member else None


@dataclass(frozen=True, slots=True)
class OperatorCode:
    """A row of Model.operator_codes, both generations of the builtin code resolved."""

    index: int
    code: int
    name: str
    version: int


@dataclass(frozen=True)
class Subgraph:
    """A subgraph: tensors, and operators in execution order.

    ``known`` are the columns of a verified file, else None: then they are read when asked for.
    """

    index: int
    table: Table = field(repr=False, compare=False)
    codes: tuple[OperatorCode, ...] = field(repr=False, compare=False)
    known: Columns | None = field(default=None, repr=False, compare=False)

    @cached_property
    def name(self) -> str:
        return self.table.string(schema.SubGraph.NAME) or ""

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        return self.table.numbers(schema.SubGraph.INPUTS)

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        return self.table.numbers(schema.SubGraph.OUTPUTS)

    @cached_property
    def _tensors(self) -> list[int]:
        return self.table.tables(schema.SubGraph.TENSORS)

    @property
    def tensor_count(self) -> int:
        return len(self._tensors)

    @property
    def operator_count(self) -> int:
        return self.table.count(schema.SubGraph.OPERATORS)

    # -- columns: what is asked of all operators or tensors

    @cached_property
    def operator_columns(self) -> OperatorColumns:
        """Raises BadFileError for damage, in a file that has not been verified."""
        if self.known:
            return self.known[0]
        return read_operators(self.table, self.index, len(self.codes), len(self._tensors))

    @cached_property
    def tensor_columns(self) -> TensorColumns:
        """Raises as ``operator_columns``."""
        if self.known:
            return self.known[1]
        return read_tensors(self.table.reader, self.index, self._tensors)

    @cached_property
    def builtin_codes(self) -> list[int]:
        """The builtin code of each operator. Raises as ``operator_columns``."""
        codes = [row.code for row in self.codes]
        return [codes[number] for number in self.operator_columns.opcodes]

    def operator_names(self) -> Counter[str]:
        """How many operators there are of each name, in order of first appearance."""
        counts: Counter[str] = Counter()
        for number, count in Counter(self.operator_columns.opcodes).items():
            counts[self.codes[number].name] += count
        return counts

    def operators_of(self, codes: Container[int]) -> Iterator[Operator]:
        """The operators with one of the builtin ``codes``, in order."""
        for number, code in enumerate(self.builtin_codes):
            if code in codes:
                yield self.operator(number)

    # -- objects: what is asked of one

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them. Raises as ``tensor``."""
        return tuple(map(self.tensor, range(self.tensor_count)))

    def tensor(self, index: int) -> Tensor:
        """Raises BadFileError for an index that the subgraph does not have."""
        self.check_tensor(index)
        try:
            return self._tensor(index)
        except TflRepairError as error:
            raise error.within(f"subgraph {self.index}, tensor {index}") from None

    def tensor_name(self, index: int) -> str:
        """The name of a tensor, which costs less than all of it. Raises as ``tensor``."""
        known = self._names.get(index)
        if known is None:
            self.check_tensor(index)
            try:
                table = self.table.reader.table(self._tensors[index])
                known = self._names[index] = table.string(schema.Tensor.NAME) or ""
            except TflRepairError as error:
                raise error.within(f"subgraph {self.index}, tensor {index}") from None
        return known

    @cached_property
    def _names(self) -> dict[int, str]:
        return {}

    def typed(self, index: int) -> Typed:
        """Type and shape of a tensor, which cost less than all of it.

        Raises as ``tensor`` and ``operator_columns``.
        """
        self.check_tensor(index)
        columns = self.tensor_columns
        shape = tuple(columns.shapes[index])
        return Typed(type_name(columns.types[index]), shape, bool(columns.ranked[index]))

    def check_tensor(self, index: int) -> None:
        """Raises BadFileError for an index that the subgraph does not have."""
        if not 0 <= index < len(self._tensors):
            raise BadFileError(
                f"tensor {index} does not exist; there are {len(self._tensors)}",
                where=f"subgraph {self.index}",
            )

    def tensor_tables(self) -> Iterator[Table]:
        """The table of each tensor, for a field that ``Tensor`` does not have."""
        return map(self.table.reader.table, self._tensors)

    def _tensor(self, index: int) -> Tensor:
        slot = schema.Tensor
        table = self.table.reader.table(self._tensors[index])
        return Tensor(
            index=index,
            name=table.string(slot.NAME) or "",
            dtype=type_name(table.scalar(slot.TYPE, "b")),
            shape=shape_of(table),
            has_rank=bool(table.scalar(slot.HAS_RANK, "?")),
            buffer=table.scalar(slot.BUFFER, "I"),
            table=table,
        )

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        """All of them. Raises as ``operator_columns``."""
        return tuple(map(self.operator, range(len(self.operator_columns.opcodes))))

    def operator(self, index: int) -> Operator:
        """One of them, by a number that it has. Raises as ``operator_columns``."""
        columns = self.operator_columns
        row = self.codes[columns.opcodes[index]]
        return Operator(
            self.index,
            index,
            row.code,
            row.name,
            tuple(columns.inputs[index]),
            tuple(columns.outputs[index]),
            self.table.reader,
            columns.places[index],
        )

    def check_indices(self, tensors: tuple[int, ...], lowest: int) -> None:
        """Raises BadFileError for a tensor that the subgraph does not have."""
        check_indices(tensors, lowest, len(self._tensors))
