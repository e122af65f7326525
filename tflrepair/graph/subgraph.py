"""The inside of a subgraph as frozen objects: tensors and operators, read when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.reader import Table
from tflrepair.format.types import type_name
from tflrepair.graph.arrays import Array, decode
from tflrepair.graph.buffers import bytes_of

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
    table: Table = field(repr=False, compare=False)

    @property
    def is_custom(self) -> bool:
        return self.code == CUSTOM

    @property
    def is_flex(self) -> bool:
        """A TensorFlow operator that only the Flex delegate runs."""
        return self.code == CUSTOM and self.name.startswith("Flex")

    def options(self, member: int) -> Table | None:
        """The builtin options if they are of union member ``member``, else None."""
        if self.table.scalar(schema.Operator.BUILTIN_OPTIONS_TYPE, "B") != member:
            return None
        return self.table.table(schema.Operator.BUILTIN_OPTIONS)

    def options2(self, member: int) -> Table | None:
        if self.table.scalar(schema.Operator.BUILTIN_OPTIONS_2_TYPE, "B") != member:
            return None
        return self.table.table(schema.Operator.BUILTIN_OPTIONS_2)


@dataclass(frozen=True, slots=True)
class OperatorCode:
    """A row of Model.operator_codes, both generations of the builtin code resolved."""

    index: int
    code: int
    name: str
    version: int


@dataclass(frozen=True)
class Subgraph:
    """A subgraph: tensors, and operators in execution order."""

    index: int
    table: Table = field(repr=False, compare=False)
    codes: tuple[OperatorCode, ...] = field(repr=False, compare=False)

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

    def tensor(self, index: int) -> Tensor:
        """Raises BadFileError for an index that the subgraph does not have."""
        if not 0 <= index < len(self._tensors):
            raise BadFileError(
                f"tensor {index} does not exist; there are {len(self._tensors)}",
                where=f"subgraph {self.index}",
            )
        try:
            return self._tensor(index)
        except TflRepairError as error:
            raise error.within(f"subgraph {self.index}, tensor {index}") from None

    def _tensor(self, index: int) -> Tensor:
        slot = schema.Tensor
        table = self.table.reader.table(self._tensors[index])
        shape = table.numbers(slot.SHAPE)
        signature = table.numbers(slot.SHAPE_SIGNATURE)
        return Tensor(
            index=index,
            name=table.string(slot.NAME) or "",
            dtype=type_name(table.scalar(slot.TYPE, "b")),
            shape=signature if len(signature) == len(shape) else shape,
            has_rank=bool(table.scalar(slot.HAS_RANK, "?")),
            buffer=table.scalar(slot.BUFFER, "I"),
            table=table,
        )

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        return tuple(self._walk())

    def _walk(self) -> Iterator[Operator]:
        slot = schema.Operator
        reader, codes = self.table.reader, self.codes
        for index, pos in enumerate(self.table.tables(schema.SubGraph.OPERATORS)):
            try:
                table = reader.table(pos)
                opcode = table.scalar(slot.OPCODE_INDEX, "I")
                inputs, outputs = table.numbers(slot.INPUTS), table.numbers(slot.OUTPUTS)
                if opcode >= len(codes):
                    raise BadFileError(f"operator code {opcode} does not exist")
                self.check_indices(inputs, -1)
                self.check_indices(outputs, -1)
            except TflRepairError as error:
                raise error.within(f"subgraph {self.index}, operator {index}") from None
            row = codes[opcode]
            yield Operator(self.index, index, row.code, row.name, inputs, outputs, table)

    def check_indices(self, tensors: tuple[int, ...], lowest: int) -> None:
        if tensors and (max(tensors) >= len(self._tensors) or min(tensors) < lowest):
            raise BadFileError(
                f"refers to a tensor outside 0 to {len(self._tensors) - 1}: {tensors[:8]}"
            )
