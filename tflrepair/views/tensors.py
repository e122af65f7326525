"""A subgraph as a graph: who makes and who takes each tensor, and what each tensor is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tflrepair.format import schema
from tflrepair.format.typed import decode
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph, Tensor

INPUT = "input"
CONSTANT = "constant"
STATE = "state"
COMPUTED = "computed"
UNUSED = "unused"
_SLOT = schema.Tensor


@dataclass(frozen=True)
class TensorView:
    """A tensor and its part in the subgraph.

    Attributes:
        role: ``input``; ``constant`` (has bytes in the file); ``state`` (is_variable: kept from run
            to run); ``computed`` (an operator makes it); ``unused`` (nothing makes or takes it).
        shape: as stored; ``signature`` the shape with -1 for open dimensions, None where the file
            has none of its own (Tensor.shape_signature).
        stored: bytes in the file.
        maker: index of the operator that makes it, or None; ``takers`` of those that read it.
        quantization, sparsity: decoded tables; None without. A quantization table without scales
            is None.
    """

    subgraph: int
    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...] | None
    has_rank: bool
    role: str
    is_output: bool
    buffer: int
    stored: int
    maker: int | None
    takers: tuple[int, ...]
    quantization: Mapping[str, Any] | None = field(default=None, repr=False)
    sparsity: Mapping[str, Any] | None = field(default=None, repr=False)
    external: int = 0

    @property
    def open_shape(self) -> tuple[int, ...]:
        return self.shape if self.signature is None else self.signature


class SubgraphView:
    """The edges of a subgraph. Cheap: tensors are decoded when they are asked for."""

    def __init__(self, model: Model, index: int) -> None:
        self.model = model
        self.subgraph: Subgraph = model.subgraph(index)

    @cached_property
    def makers(self) -> dict[int, int]:
        """Tensor -> the operator that makes it (the last one, where a bad file has several)."""
        return {t: o.index for o in self.subgraph.operators for t in o.outputs if t >= 0}

    @cached_property
    def takers(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for operator in self.subgraph.operators:
            for tensor in dict.fromkeys(operator.inputs):
                if tensor >= 0:
                    found.setdefault(tensor, []).append(operator.index)
        return found

    @cached_property
    def _inputs(self) -> frozenset[int]:
        return frozenset(self.subgraph.inputs)

    @cached_property
    def _outputs(self) -> frozenset[int]:
        return frozenset(self.subgraph.outputs)

    def operator(self, index: int) -> Operator:
        return self.subgraph.operators[index]

    def role(self, index: int, tensor: Tensor) -> str:
        if index in self._inputs:
            return INPUT
        if tensor.table.scalar(_SLOT.IS_VARIABLE, "?"):
            return STATE
        if index in self.makers:
            return COMPUTED
        if self._stored(tensor) or tensor.table.scalar(_SLOT.EXTERNAL_BUFFER, "I"):
            return CONSTANT
        # a constant of no elements has no bytes
        return CONSTANT if index in self.takers and 0 in tensor.shape else UNUSED

    def is_constant(self, index: int) -> bool:
        return index >= 0 and self.role(index, self.subgraph.tensor(index)) == CONSTANT

    def _stored(self, tensor: Tensor) -> int:
        buffers = self.model.buffers
        return buffers[tensor.buffer].length if tensor.buffer < len(buffers) else 0

    def tensor(self, index: int) -> TensorView:
        """Raises BadFileError for an index that the subgraph does not have."""
        tensor = self.subgraph.tensor(index)
        table = tensor.table
        signature = table.numbers(_SLOT.SHAPE_SIGNATURE)
        return TensorView(
            subgraph=self.subgraph.index,
            index=index,
            name=tensor.name,
            dtype=tensor.dtype,
            shape=table.numbers(_SLOT.SHAPE),
            signature=signature or None,
            has_rank=tensor.has_rank,
            role=self.role(index, tensor),
            is_output=index in self._outputs,
            buffer=tensor.buffer,
            stored=self._stored(tensor),
            maker=self.makers.get(index),
            takers=tuple(self.takers.get(index, ())),
            quantization=quantization(tensor),
            sparsity=sparsity(tensor),
            external=table.scalar(_SLOT.EXTERNAL_BUFFER, "I"),
        )


def quantization(tensor: Tensor) -> Mapping[str, Any] | None:
    """The quantization table if it says anything: scales, or another scheme in its details."""
    table = tensor.table.table(_SLOT.QUANTIZATION)
    if table is None:
        return None
    values = decode(table, "QuantizationParameters")
    return values if values["scale"] or values["details"] or values["min"] else None


def sparsity(tensor: Tensor) -> Mapping[str, Any] | None:
    table = tensor.table.table(_SLOT.SPARSITY)
    return None if table is None else decode(table, "SparsityParameters")
