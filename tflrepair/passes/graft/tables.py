"""The new tables of a graft: initializer subgraph, CALL_ONCE, constants, and the root."""

from __future__ import annotations

from tflrepair.analysis.checkpoints import NAMES_INPUT
from tflrepair.format import flex_options, schema, strings
from tflrepair.format.splice import Head
from tflrepair.format.types import type_code
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Tensor
from tflrepair.passes.graft.plan import GraftPlan, NewValue
from tflrepair.rewrite import relocation
from tflrepair.rewrite.operators import NewOperators

INITIALIZER_NAME = "tflrepair_initializer"
_ASSIGNED_INPUT = 1
_OP = schema.BuiltinOperator

# subgraph -> operator -> (input position, what its constant becomes)
_Constants = dict[int, dict[int, tuple[int, NewValue | tuple[str, ...]]]]


def _constants(plan: GraftPlan) -> _Constants:
    found: _Constants = {}
    for rename in plan.renames:
        site = rename.site
        found.setdefault(site.subgraph, {})[site.operator] = (NAMES_INPUT, rename.names)
    for replacement in plan.replacements:
        for site in replacement.sites:
            row = (_ASSIGNED_INPUT, replacement.value)
            found.setdefault(site.subgraph, {})[site.operator] = row
    return found


class Tables:
    """The tables of one graft, built by ``build`` into ``head``."""

    def __init__(self, model: Model, plan: GraftPlan, head: Head) -> None:
        self.model = model
        self.plan = plan
        self.head = head
        self.operators = NewOperators(head, model)
        self.buffers = relocation.buffers(head, model)
        self.custom: dict[str, int] = {}
        self.constants = _constants(plan)
        self.position = {value.key: index for index, value in enumerate(plan.all_values)}

    def build(self) -> bytes:
        head, model = self.head, self.model
        subgraphs = [head.old(subgraph.table.pos) for subgraph in model.subgraphs]
        calls: dict[int, list[int]] = {entry: [] for entry in self.plan.entries}
        for entry, target in self.plan.calls:
            calls[entry].append(target)
        if self.plan.values:
            subgraphs.append(self._initializer())
            for targets in calls.values():
                targets.insert(0, len(model.subgraphs))
        call_operators = {
            t: self.operators.call_once(t) for t in sorted({t for ts in calls.values() for t in ts})
        }
        for index in range(len(model.subgraphs)):
            first = [call_operators[target] for target in calls.get(index, [])]
            moved = any(map(relocation.has_position, model.subgraph(index).operators))
            if first or index in self.constants or moved:
                subgraphs[index] = self._subgraph(index, first, moved)
        slot = schema.Model
        fields = {
            slot.OPERATOR_CODES: head.tables(self.operators.codes),
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.BUFFERS: head.tables(self.buffers),
        }
        return head.finish(head.copy("Model", model.root, fields))

    def _subgraph(self, index: int, first: list[int], moved: bool) -> int:
        """A copy of a subgraph: new operators at its head, new constants for some inputs.

        ``moved``: some of its operators hold file positions.
        """
        subgraph = self.model.subgraph(index)
        constants = self.constants.get(index, {})
        new_tensors: list[int] = []
        operators = list(first)
        for operator in subgraph.operators:
            if not moved and operator.index not in constants:
                operators.append(self.head.old(operator.place))
                continue
            fields = {}
            if operator.index in constants:
                inputs = list(operator.inputs)
                position, constant = constants[operator.index]
                old = subgraph.tensor(inputs[position])
                inputs[position] = subgraph.tensor_count + len(new_tensors)
                new_tensors.append(self._new_constant(constant, old))
                fields[schema.Operator.INPUTS] = self.head.numbers(inputs)
            operators.append(relocation.operator_table(self.head, operator, fields))
        replaced = {schema.SubGraph.OPERATORS: self.head.tables(operators)}
        if new_tensors:
            tensors = [self.head.old(p) for p in subgraph.table.tables(schema.SubGraph.TENSORS)]
            replaced[schema.SubGraph.TENSORS] = self.head.tables(tensors + new_tensors)
        return self.head.copy("SubGraph", subgraph.table, replaced)

    # -- new tables

    def _initializer(self) -> int:
        tensors, operators = [], []
        empty = self.head.table("Buffer", {})
        for index, value in enumerate(self.plan.values):
            self.buffers += [empty, self.head.value_buffer(index)]
            handle, constant = 2 * index, 2 * index + 1
            tensors += [self._handle(value), self._constant(value)]
            if value.handle is None:
                operators += [
                    self.operators.var_handle(value.key, handle),
                    self.operators.assign(handle, constant),
                ]
            else:
                operators.append(self._flex_handle(value.handle, handle))
                operators.append(self._flex_assign(value.dtype, handle, constant))
        slot = schema.SubGraph
        fields = {
            slot.TENSORS: self.head.tables(tensors),
            slot.INPUTS: self.head.numbers(()),
            slot.OUTPUTS: self.head.numbers(()),
            slot.OPERATORS: self.head.tables(operators),
            slot.NAME: self.head.string(INITIALIZER_NAME),
        }
        return self.head.table("SubGraph", fields)

    def _handle(self, value: NewValue) -> int:
        slot = schema.Tensor
        fields = {
            slot.SHAPE: self.head.numbers(()),
            slot.TYPE: schema.TensorType.RESOURCE,
            slot.BUFFER: len(self.buffers) - 2,
            slot.NAME: self.head.string(value.key.shared_name),
            slot.HAS_RANK: 1,
        }
        return self.head.table("Tensor", fields)

    def _constant(self, value: NewValue) -> int:
        name = value.key.shared_name + "/initial_value"
        return self._tensor(name, type_code(value.dtype), value.shape)

    def _new_constant(self, constant: NewValue | tuple[str, ...], old: Tensor) -> int:
        """A constant in the place of ``old``: a variable's value, or names of tensors."""
        if isinstance(constant, NewValue):
            self.buffers.append(self.head.value_buffer(self.position[constant.key]))
            return self._constant(constant)
        data = self.head.data(strings.pack(constant))
        self.buffers.append(self.head.table("Buffer", {schema.Buffer.DATA: data}))
        return self._tensor("tensor_names", schema.TensorType.STRING, old.shape)

    def _tensor(self, name: str, kind: int, shape: tuple[int, ...]) -> int:
        """A tensor over the buffer that was added last."""
        slot = schema.Tensor
        fields = {
            slot.SHAPE: self.head.numbers(shape),
            slot.TYPE: kind,
            slot.BUFFER: len(self.buffers) - 1,
            slot.NAME: self.head.string(name),
            slot.HAS_RANK: 1,
        }
        return self.head.table("Tensor", fields)

    def _flex_handle(self, made_by: OperatorRef, handle: int) -> int:
        """The same operator as ``made_by``: its NodeDef is the variable's identity."""
        old = self.model.subgraph(made_by.subgraph).operators[made_by.operator]
        start, length = old.table.span(schema.Operator.CUSTOM_OPTIONS) or (0, 0)
        options = bytes(self.model.read(start, length))
        return self._custom("FlexVarHandleOp", (), (handle,), options)

    def _flex_assign(self, dtype: str, handle: int, constant: int) -> int:
        options = flex_options.assign_variable(dtype)
        return self._custom("FlexAssignVariableOp", (handle, constant), (), options)

    def _custom(
        self, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], options: bytes
    ) -> int:
        known = next((r.index for r in self.model.operator_codes if r.name == name), None)
        if known is None and name not in self.custom:
            slot = schema.OperatorCode
            fields = {
                slot.DEPRECATED_BUILTIN_CODE: _OP.CUSTOM,
                slot.CUSTOM_CODE: self.head.string(name),
                slot.VERSION: 1,
                slot.BUILTIN_CODE: _OP.CUSTOM,
            }
            self.custom[name] = len(self.operators.codes)
            self.operators.codes.append(self.head.table("OperatorCode", fields))
        operator = schema.Operator
        return self.head.table(
            "Operator",
            {
                operator.OPCODE_INDEX: self.custom[name] if known is None else known,
                operator.INPUTS: self.head.numbers(inputs),
                operator.OUTPUTS: self.head.numbers(outputs),
                operator.CUSTOM_OPTIONS: self.head.data(options),
            },
        )
