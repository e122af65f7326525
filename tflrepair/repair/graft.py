"""The graft: an initializer subgraph in front of the old file, and CALL_ONCE at every entry.

Promises: every byte of the old file stays (file positions in an appended ZIP excepted), indices
of subgraphs, tensors and buffers keep their meaning, variables that have an initializer keep it.
Each variable gets exactly one initializer, shared by all entries and run before anything else:
a second one would reset trained values when another signature is first called.

Idempotent: a grafted model needs no value, so there is no plan that changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tflrepair.checkpoints import NAMES_INPUT
from tflrepair.errors import RefusedError
from tflrepair.format import schema, strings, zipped
from tflrepair.format.splice import Head, Layout, layout
from tflrepair.format.types import type_code
from tflrepair.graph import Operator
from tflrepair.model import Model
from tflrepair.repair.plan import GraftPlan, NewValue
from tflrepair.resources import Key

INITIALIZER_NAME = "tflrepair_initializer"
_OP = schema.BuiltinOperator
_COPY_CHUNK = 1 << 24


@dataclass(frozen=True)
class Graft:
    """A finished graft, not yet written. Values are read one at a time while writing."""

    model: Model
    plan: GraftPlan
    head: bytes
    place: Layout

    @property
    def size(self) -> int:
        return len(self.head) + self.place.length

    def write(self, stream: BinaryIO, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the new file. ``progress`` is told (bytes written, bytes in all).

        Raises:
            RefusedError: a value turns out to have another number of bytes than planned.
        """
        stream.write(self.head)
        done = len(self.head)
        for piece in self._pieces():
            stream.write(piece)
            done += len(piece)
            if progress is not None:
                progress(done, self.size)

    def _pieces(self) -> Iterator[bytes | memoryview]:
        if self.place.inside:
            yield from self._values(0)
            yield from self._old()
        else:
            yield from self._old()
            yield from self._values(self.model.size)

    def _values(self, position: int) -> Iterator[bytes | memoryview]:
        for start, value in zip(self.place.starts, self.plan.values, strict=True):
            prefix = value.nbytes.to_bytes(4, "little") if self.place.inside else b""
            yield bytes(start - len(prefix) - position) + prefix
            data = value.read()
            if len(data) != value.nbytes:
                raise RefusedError(
                    f"{value.origin} gave {len(data)} bytes for {value.key.shared_name!r}, "
                    f"which needs {value.nbytes}"
                )
            yield data
            position = start + value.nbytes
        if self.place.inside:
            yield bytes(self.place.old - position)

    def _old(self) -> Iterator[bytes | memoryview]:
        patches = zipped.shifted_positions(self.model.data, len(self.head) + self.place.old)
        position = 0
        for start, data in sorted(patches):
            yield from self._chunks(position, start)
            yield data
            position = start + len(data)
        yield from self._chunks(position, self.model.size)

    def _chunks(self, start: int, end: int) -> Iterator[memoryview]:
        for position in range(start, end, _COPY_CHUNK):
            yield self.model.data[position : min(position + _COPY_CHUNK, end)]


def graft(model: Model, plan: GraftPlan) -> Graft:
    """Build the new tables of ``plan``.

    Raises:
        UnsupportedError: a table that must be copied has a field newer than our schema.
    """
    # A head takes some 300 bytes for each new variable; the estimate only decides on which side
    # of the old bytes the values go.
    estimate = 4096 + 512 * len(plan.values)
    place = layout([value.nbytes for value in plan.values], model.size, estimate)
    head = _Grafter(model, plan, Head(place))
    data = head.build()
    if head.head.absolute:
        data = _Grafter(model, plan, Head(place, len(data))).build()
    return Graft(model, plan, data, place)


class _Grafter:
    def __init__(self, model: Model, plan: GraftPlan, head: Head) -> None:
        self.model = model
        self.plan = plan
        self.head = head
        self.codes = [head.old(p) for p in model.root.tables(schema.Model.OPERATOR_CODES)]
        self.buffers = self._old_buffers()
        self.opcodes: dict[int, int] = {}
        self.renamed: dict[int, dict[int, tuple[str, ...]]] = {}
        for rename in plan.renames:
            site = rename.site
            self.renamed.setdefault(site.subgraph, {})[site.operator] = rename.names

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
            t: self._call_once(t) for t in sorted({t for ts in calls.values() for t in ts})
        }
        for index in range(len(model.subgraphs)):
            first = [call_operators[target] for target in calls.get(index, [])]
            if first or index in self.renamed or self._has_large_options(index):
                subgraphs[index] = self._subgraph(index, first)
        slot = schema.Model
        fields = {
            slot.OPERATOR_CODES: head.tables(self.codes),
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.BUFFERS: head.tables(self.buffers),
        }
        return head.finish(head.copy("Model", model.root, fields))

    # -- old tables, by reference unless they hold absolute file positions

    def _old_buffers(self) -> list[int]:
        offsets = []
        for row, position in zip(
            self.model.buffers, self.model.root.tables(schema.Model.BUFFERS), strict=True
        ):
            offset = self.head.old(position)
            if row.outside:
                fields = {schema.Buffer.OFFSET: self.head.shifted(row.start)}
                offset = self.head.copy("Buffer", self.model.reader.table(position), fields)
            offsets.append(offset)
        return offsets

    def _has_large_options(self, subgraph: int) -> bool:
        slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
        return any(o.table.scalar(slot, "Q") > 1 for o in self.model.subgraph(subgraph).operators)

    def _subgraph(self, index: int, first: list[int]) -> int:
        """A copy of a subgraph with new operators at its head and renamed checkpoint tensors."""
        subgraph = self.model.subgraph(index)
        names = self.renamed.get(index, {})
        new_tensors: list[int] = []
        operators = list(first)
        for operator in subgraph.operators:
            fields = self._shifted_options(operator)
            if operator.index in names:
                inputs = list(operator.inputs)
                inputs[NAMES_INPUT] = subgraph.tensor_count + len(new_tensors)
                old = subgraph.tensor(operator.inputs[NAMES_INPUT])
                new_tensors.append(self._names(names[operator.index], old.shape))
                fields[schema.Operator.INPUTS] = self.head.numbers(inputs)
            if fields:
                operators.append(self.head.copy("Operator", operator.table, fields))
            else:
                operators.append(self.head.old(operator.table.pos))
        replaced = {schema.SubGraph.OPERATORS: self.head.tables(operators)}
        if new_tensors:
            tensors = [self.head.old(p) for p in subgraph.table.tables(schema.SubGraph.TENSORS)]
            replaced[schema.SubGraph.TENSORS] = self.head.tables(tensors + new_tensors)
        return self.head.copy("SubGraph", subgraph.table, replaced)

    def _shifted_options(self, operator: Operator) -> dict[int, int]:
        slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
        position = operator.table.scalar(slot, "Q")
        return {slot: self.head.shifted(position)} if position > 1 else {}

    # -- new tables

    def _opcode(self, code: int) -> int:
        """The index of an operator code, added if the model has none of its kind."""
        if code not in self.opcodes:
            known = next((r.index for r in self.model.operator_codes if r.code == code), None)
            if known is None:
                known = len(self.codes)
                slot = schema.OperatorCode
                self.codes.append(
                    self.head.table(
                        "OperatorCode",
                        {
                            slot.DEPRECATED_BUILTIN_CODE: _OP.PLACEHOLDER_FOR_GREATER_OP_CODES,
                            slot.VERSION: 1,
                            slot.BUILTIN_CODE: code,
                        },
                    )
                )
            self.opcodes[code] = known
        return self.opcodes[code]

    def _initializer(self) -> int:
        tensors, operators = [], []
        empty = self.head.table("Buffer", {})
        for index, value in enumerate(self.plan.values):
            self.buffers += [empty, self.head.value_buffer(index)]
            handle, constant = 2 * index, 2 * index + 1
            tensors += [self._handle(value), self._constant(value)]
            operators += [self._var_handle(value.key, handle), self._assign(handle, constant)]
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
        slot = schema.Tensor
        fields = {
            slot.SHAPE: self.head.numbers(value.shape),
            slot.TYPE: type_code(value.dtype),
            slot.BUFFER: len(self.buffers) - 1,
            slot.NAME: self.head.string(value.key.shared_name + "/initial_value"),
            slot.HAS_RANK: 1,
        }
        return self.head.table("Tensor", fields)

    def _names(self, names: tuple[str, ...], shape: tuple[int, ...]) -> int:
        """A constant string tensor for a save or restore operator."""
        data = self.head.data(strings.pack(names))
        self.buffers.append(self.head.table("Buffer", {schema.Buffer.DATA: data}))
        slot = schema.Tensor
        fields = {
            slot.SHAPE: self.head.numbers(shape),
            slot.TYPE: schema.TensorType.STRING,
            slot.BUFFER: len(self.buffers) - 1,
            slot.NAME: self.head.string("tensor_names"),
            slot.HAS_RANK: 1,
        }
        return self.head.table("Tensor", fields)

    def _var_handle(self, key: Key, handle: int) -> int:
        slot = schema.VarHandleOptions
        names = {
            slot.CONTAINER: self.head.string(key.container),
            slot.SHARED_NAME: self.head.string(key.shared_name),
        }
        options = self.head.table("VarHandleOptions", names)
        return self._operator(_OP.VAR_HANDLE, (), (handle,), "VarHandleOptions", options)

    def _assign(self, handle: int, constant: int) -> int:
        return self._operator(_OP.ASSIGN_VARIABLE, (handle, constant), ())

    def _call_once(self, target: int) -> int:
        fields = {schema.CallOnceOptions.INIT_SUBGRAPH_INDEX: target}
        options = self.head.table("CallOnceOptions", fields)
        return self._operator(_OP.CALL_ONCE, (), (), "CallOnceOptions", options)

    def _operator(
        self,
        code: int,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        member: str = "",
        options: int = 0,
    ) -> int:
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
