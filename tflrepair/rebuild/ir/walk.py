"""The steps of one subgraph, called with certain resource handles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.rebuild.ir import custom_nodes, flex_nodes, walk_calls, walk_resources
from tflrepair.rebuild.ir.builtin_options import read_options
from tflrepair.rebuild.ir.scope import Planner, Scope
from tflrepair.rebuild.ir.steps import (
    Assign,
    Compute,
    Local,
    Output,
    Raw,
    Read,
)
from tflrepair.rebuild.ir.tensor_facts import dtype_of, quantization_of
from tflrepair.rebuild.ops.registry import operators
from tflrepair.wording import plural


class Walk(Scope):
    """The steps of one subgraph."""

    def __init__(
        self, planner: Planner, subgraph: Subgraph, handles: dict[int, ResourceId]
    ) -> None:
        super().__init__(planner, subgraph, handles)
        for operator in subgraph.operators:
            try:
                self.operator(operator)
            except TflRepairError as error:
                if error.where and error.where.startswith("subgraph"):
                    raise
                place = f"subgraph {subgraph.index}, operator {operator.index}"
                raise error.within(f"{place} ({operator.name})") from None

    def operator(self, operator: Operator) -> None:
        if operator.is_flex:
            self.flex(operator)
        elif operator.is_custom:
            self.raw(operator, custom_nodes.node_of(operator))
        elif operator.name in STRUCTURE:
            STRUCTURE[operator.name](self, operator)
        else:
            self.builtin(operator)

    # -- operators that compute

    def builtin(self, operator: Operator) -> None:
        builtin = operators()[operator.name]
        least, most = builtin.arity
        if not least <= len(operator.inputs) <= most:
            raise BadFileError(
                f"has {plural(len(operator.inputs), 'input')}, which is the wrong number"
            )
        for position in builtin.states:
            self.read_state(operator, position)
        options = read_options(operator, builtin.keywords)
        if "out_dtype" in builtin.keywords:
            if not operator.outputs:
                raise BadFileError("has no output")
            options["out_dtype"] = dtype_of(self.subgraph.tensor(operator.outputs[0]))
        arguments = tuple(self.argument(tensor, builtin.raw) for tensor in operator.inputs)
        for position, tensor in enumerate(operator.inputs[: int(least)]):
            if tensor < 0 and position not in builtin.states:
                raise BadFileError(f"input {position} is left out, but it is required")
        outputs = [self.output(tensor, builtin.raw) for tensor in operator.outputs]
        new = [self.new_state(operator, position) for position in builtin.states]
        self.steps.append(
            Compute(
                self.site(operator), builtin, arguments, options, (*outputs, *(o for _, o in new))
            )
        )
        for key, output in new:
            self.steps.append(Assign(self.site(operator), key, Local(output.tensor)))
        self.computed.update(operator.outputs)

    def output(self, tensor: int, raw: bool) -> Output:
        row = self.subgraph.tensor(tensor)
        return Output(tensor, dtype_of(row), None if raw else quantization_of(row))

    def read_state(self, operator: Operator, position: int) -> None:
        """Make a variable tensor a variable of its own, and read it."""
        row = self.subgraph.tensor(self.state_tensor(operator, position))
        if quantization_of(row):
            raise UnsupportedError("a quantized recurrent state is not covered")
        key = ResourceId("state", str(self.subgraph.index), row.name or f"tensor {row.index}")
        self.planner.states[key] = (dtype_of(row), row.shape)
        self.computed.add(row.index)
        self.steps.append(Read(self.site(operator), key, row.index))

    def state_tensor(self, operator: Operator, position: int) -> int:
        if position >= len(operator.inputs) or operator.inputs[position] < 0:
            raise BadFileError("has no state tensor")
        return operator.inputs[position]

    def new_state(self, operator: Operator, position: int) -> tuple[ResourceId, Output]:
        row = self.subgraph.tensor(self.state_tensor(operator, position))
        key = ResourceId("state", str(self.subgraph.index), row.name or f"tensor {row.index}")
        self.fresh += 1
        return key, Output(self.fresh - 1, dtype_of(row))

    def flex(self, operator: Operator) -> None:
        node = flex_nodes.node_of(operator)
        if node.op in FLEX_STRUCTURE:
            FLEX_STRUCTURE[node.op](self, operator)
        else:
            self.raw(operator, node)

    def raw(self, operator: Operator, node: Any) -> None:
        """An operator that TensorFlow has: ``node`` is its NodeDef."""
        arguments = flex_nodes.bind(node, [self.argument(t) for t in operator.inputs])
        self.steps.append(
            Raw(
                self.site(operator),
                node.op,
                arguments,
                flex_nodes.attributes(node),
                operator.outputs,
                flex_nodes.returns_list(node),
            )
        )
        self.computed.update(operator.outputs)


FLEX_STRUCTURE: dict[str, Callable[[Walk, Operator], None]] = {
    "VarHandleOp": walk_resources.flex_handle,
    "ReadVariableOp": walk_resources.read,
    "AssignVariableOp": walk_resources.assign,
}
STRUCTURE: dict[str, Callable[[Walk, Operator], None]] = {
    "VAR_HANDLE": walk_resources.var_handle,
    "READ_VARIABLE": walk_resources.read,
    "ASSIGN_VARIABLE": walk_resources.assign,
    "HASHTABLE": walk_resources.hashtable,
    "HASHTABLE_FIND": walk_resources.table_find,
    "HASHTABLE_IMPORT": walk_resources.table_import,
    "HASHTABLE_SIZE": walk_resources.table_size,
    "CALL_ONCE": walk_calls.call_once,
    "CALL": walk_calls.call,
    "STABLEHLO_COMPOSITE": walk_calls.composite,
    "IF": walk_calls.if_,
    "WHILE": walk_calls.while_,
}
