"""Small .tflite files from a description, for graphs that no converter would make on demand.

Written with LiteRT's generated schema, so that what our reader finds was not written by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as fb


def save_npz(path: Path, arrays: Mapping[str, Any]) -> Path:
    """``np.savez`` of arrays whose names are known only at run time."""
    named: dict[str, Any] = dict(arrays)  # savez has a keyword of its own, which is not an array
    np.savez(path, **named)
    return path


class Sub:
    """A subgraph under construction; methods add an operator and give its output tensor."""

    def __init__(self, build: Build, name: str) -> None:
        self.build = build
        self.table = fb.SubGraphT()
        self.table.name = name
        self.table.tensors, self.table.operators = [], []
        self.table.inputs, self.table.outputs = [], []

    def tensor(self, kind: str = "FLOAT32", shape: Sequence[int] = (2,), data: bytes = b"") -> int:
        tensor = fb.TensorT()
        tensor.name = f"t{len(self.table.tensors)}"
        tensor.type = getattr(fb.TensorType, kind)
        tensor.shape, tensor.hasRank = list(shape), True
        tensor.buffer = len(self.build.model.buffers)
        buffer = fb.BufferT()
        buffer.data = list(data) or None
        self.build.model.buffers.append(buffer)
        self.table.tensors.append(tensor)
        return len(self.table.tensors) - 1

    def input(self, kind: str = "FLOAT32", shape: Sequence[int] = (2,)) -> int:
        index = self.tensor(kind, shape)
        self.table.inputs.append(index)
        return index

    def output(self, index: int) -> None:
        self.table.outputs.append(index)

    def op(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Any = None
    ) -> None:
        operator = fb.OperatorT()
        operator.opcodeIndex = self.build.opcode(name)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            union = fb.BuiltinOptions if hasattr(fb.BuiltinOptions, kind) else fb.BuiltinOptions2
            if union is fb.BuiltinOptions:
                operator.builtinOptionsType = getattr(union, kind)
                operator.builtinOptions = options
            else:
                operator.builtinOptions2Type = getattr(union, kind)
                operator.builtinOptions2 = options
        self.table.operators.append(operator)

    def handle(self, name: str, container: str = "") -> int:
        options = fb.VarHandleOptionsT()
        options.container, options.sharedName = container, name
        out = self.tensor("RESOURCE", ())
        self.op("VAR_HANDLE", [], [out], options)
        return out

    def read(self, handle: int, shape: Sequence[int] = (2,)) -> int:
        out = self.tensor(shape=shape)
        self.op("READ_VARIABLE", [handle], [out])
        return out

    def assign(self, handle: int, value: int) -> None:
        self.op("ASSIGN_VARIABLE", [handle, value], [])

    def call_once(self, target: int) -> None:
        options = fb.CallOnceOptionsT()
        options.initSubgraphIndex = target
        self.op("CALL_ONCE", [], [], options)

    def call(self, target: int, inputs: Sequence[int] = (), outputs: Sequence[int] = ()) -> None:
        options = fb.CallOptionsT()
        options.subgraph = target
        self.op("CALL", inputs, outputs, options)

    def branch(self, then: int, other: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        options = fb.IfOptionsT()
        options.thenSubgraphIndex, options.elseSubgraphIndex = then, other
        condition = self.tensor("BOOL", (1,), b"\x01")
        self.op("IF", [condition, *inputs], outputs, options)

    def loop(
        self, condition: int, body: int, inputs: Sequence[int], outputs: Sequence[int]
    ) -> None:
        options = fb.WhileOptionsT()
        options.condSubgraphIndex, options.bodySubgraphIndex = condition, body
        self.op("WHILE", inputs, outputs, options)


class Build:
    def __init__(self) -> None:
        self.model = fb.ModelT()
        self.model.version = 3
        self.model.description = "made by tests/build.py"
        self.model.buffers = [fb.BufferT()]
        self.model.subgraphs, self.model.operatorCodes = [], []
        self.model.signatureDefs = []
        self.names: list[str] = []

    def opcode(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
            row = fb.OperatorCodeT()
            custom = not hasattr(fb.BuiltinOperator, name)
            row.builtinCode = (
                fb.BuiltinOperator.CUSTOM if custom else getattr(fb.BuiltinOperator, name)
            )
            row.deprecatedBuiltinCode = min(row.builtinCode, 127)
            row.customCode = name if custom else None
            row.version = 1
            self.model.operatorCodes.append(row)
        return self.names.index(name)

    def sub(self, name: str, signature: str | None = None) -> Sub:
        sub = Sub(self, name)
        self.model.subgraphs.append(sub.table)
        if signature is not None:
            row = fb.SignatureDefT()
            row.signatureKey, row.subgraphIndex = signature, len(self.model.subgraphs) - 1
            row.inputs, row.outputs = [], []
            self.model.signatureDefs.append(row)
        return sub

    def bytes(self) -> bytes:
        for row in self.model.signatureDefs:
            table = self.model.subgraphs[row.subgraphIndex]
            row.inputs = [_map(f"in{i}", t) for i, t in enumerate(table.inputs)]
            row.outputs = [_map(f"out{i}", t) for i, t in enumerate(table.outputs)]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def with_options_behind(build: Build) -> Build:
    """``build`` with a subgraph ``custom`` whose one operator has its options at bytes 8 to 12."""
    sub = build.sub("custom", "custom")
    sub.op("MyOp", [], [sub.tensor()])
    operator = sub.table.operators[0]
    operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = 8, 4
    return build


def _map(name: str, index: int) -> Any:
    row = fb.TensorMapT()
    row.name, row.tensorIndex = name, index
    return row
