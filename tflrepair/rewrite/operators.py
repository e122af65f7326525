"""New operators in a head: their codes, added where the model has none, and their tables."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.analysis.resources import ResourceId
from tflrepair.format import schema
from tflrepair.format.splice import Head
from tflrepair.graph.model import Model

_OP = schema.BuiltinOperator


class NewOperators:
    """Builds Operator tables into ``head``; ``codes`` becomes Model.operator_codes."""

    def __init__(self, head: Head, model: Model) -> None:
        self.head = head
        self.model = model
        self.codes = [head.old(p) for p in model.root.tables(schema.Model.OPERATOR_CODES)]
        self._known: dict[int, int] = {}

    def call_once(self, target: int) -> int:
        fields = {schema.CallOnceOptions.INIT_SUBGRAPH_INDEX: target}
        options = self.head.table("CallOnceOptions", fields)
        return self.operator(_OP.CALL_ONCE, (), (), "CallOnceOptions", options)

    def var_handle(self, key: ResourceId, handle: int) -> int:
        slot = schema.VarHandleOptions
        names = {
            slot.CONTAINER: self.head.string(key.container),
            slot.SHARED_NAME: self.head.string(key.shared_name),
        }
        options = self.head.table("VarHandleOptions", names)
        return self.operator(_OP.VAR_HANDLE, (), (handle,), "VarHandleOptions", options)

    def read(self, handle: int, value: int) -> int:
        return self.operator(_OP.READ_VARIABLE, (handle,), (value,))

    def assign(self, handle: int, value: int) -> int:
        return self.operator(_OP.ASSIGN_VARIABLE, (handle, value), ())

    def operator(
        self,
        code: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        member: str = "",
        options: int = 0,
    ) -> int:
        """The offset of an Operator table; ``member`` names the union member of ``options``."""
        slot = schema.Operator
        fields = {
            slot.OPCODE_INDEX: self._opcode(code),
            slot.INPUTS: self.head.numbers(inputs),
            slot.OUTPUTS: self.head.numbers(outputs),
        }
        if member:
            fields[slot.BUILTIN_OPTIONS_TYPE] = getattr(schema.BuiltinOptions, member)
            fields[slot.BUILTIN_OPTIONS] = options
        return self.head.table("Operator", fields)

    def _opcode(self, code: int) -> int:
        """The index of an operator code, added if the model has none of its kind."""
        if code not in self._known:
            index = next((r.index for r in self.model.operator_codes if r.code == code), None)
            if index is None:
                index = len(self.codes)
                slot = schema.OperatorCode
                fields = {
                    slot.DEPRECATED_BUILTIN_CODE: _OP.PLACEHOLDER_FOR_GREATER_OP_CODES,
                    slot.VERSION: 1,
                    slot.BUILTIN_CODE: code,
                }
                self.codes.append(self.head.table("OperatorCode", fields))
            self._known[code] = index
        return self._known[code]
