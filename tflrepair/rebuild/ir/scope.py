"""Where the steps of one subgraph get their values from: what is computed, constant or a handle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.rebuild.ir.steps import (
    Argument,
    ConstantValue,
    Function,
    FunctionId,
    Handle,
    Local,
    Step,
)
from tflrepair.rebuild.ir.tensor_facts import constant, quantization_of
from tflrepair.wording import plural


class Planner(Protocol):
    """What a walk adds to the plan."""

    model: Model
    functions: dict[FunctionId, Function]
    returned: dict[FunctionId, tuple[ResourceId | None, ...]]
    initializers: dict[FunctionId, None]
    states: dict[ResourceId, tuple[str, tuple[int, ...]]]
    tables: dict[ResourceId, tuple[str, str]]

    def function(self, index: int, handles: tuple[ResourceId | None, ...]) -> FunctionId: ...


class Scope:
    """The tensors of one subgraph, called with certain resource handles, and its steps so far."""

    def __init__(
        self, planner: Planner, subgraph: Subgraph, handles: dict[int, ResourceId]
    ) -> None:
        self.planner = planner
        self.model = planner.model
        self.subgraph = subgraph
        self.handles = dict(handles)
        self.computed = set(subgraph.inputs) - set(handles)
        self.fresh = subgraph.tensor_count
        self.steps: list[Step] = []

    def argument(self, tensor: int, raw: bool = True) -> Argument:
        """Where the value of ``tensor`` comes from."""
        if tensor < 0:
            return None
        if tensor in self.handles:
            return Handle(self.handles[tensor])
        row = self.subgraph.tensor(tensor)
        quantization = None if raw else quantization_of(row)
        if tensor in self.computed:
            return Local(tensor, quantization)
        if constant(self.model, row) is None:
            raise BadFileError(f"tensor {tensor} is used, but nothing computes it")
        return ConstantValue(tensor, quantization)

    def arguments(self, operator: Operator, least: int) -> list[Argument]:
        if len(operator.inputs) < least:
            raise BadFileError(f"has {plural(len(operator.inputs), 'input')} instead of {least}")
        return [self.argument(tensor) for tensor in operator.inputs]

    def resource(self, operator: Operator) -> ResourceId:
        key = self.handles.get(operator.inputs[0]) if operator.inputs else None
        if key is None:
            raise UnsupportedError("it is unclear which resource it uses")
        return key

    def result(self, operator: Operator) -> int:
        """The operator's only output."""
        if len(operator.outputs) != 1 or operator.outputs[0] < 0:
            raise BadFileError(f"has {plural(len(operator.outputs), 'output')} instead of one")
        self.computed.add(operator.outputs[0])
        return operator.outputs[0]

    def results(
        self, tensors: Sequence[int], returned: Sequence[ResourceId | None]
    ) -> tuple[int, ...]:
        """Bind a called function's outputs; those that are resources stay handles."""
        if len(tensors) != len(returned):
            raise BadFileError(f"has {plural(len(tensors), 'output')} instead of {len(returned)}")
        plain = []
        for tensor, key in zip(tensors, returned, strict=True):
            if key is not None:
                self.handles[tensor] = key
            else:
                self.computed.add(tensor)
                plain.append(tensor)
        return tuple(plain)

    def site(self, operator: Operator) -> OperatorRef:
        return OperatorRef(operator.subgraph, operator.index)
