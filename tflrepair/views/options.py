"""What an operator was told: builtin options, the NodeDef of a Flex operator, custom options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tflrepair.errors import TflRepairError
from tflrepair.format import flex, schema
from tflrepair.format.fields import UNIONS
from tflrepair.format.typed import decode
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator

_SLOT = schema.Operator
_UNIONS = (
    ("BuiltinOptions", _SLOT.BUILTIN_OPTIONS_TYPE, _SLOT.BUILTIN_OPTIONS),
    ("BuiltinOptions2", _SLOT.BUILTIN_OPTIONS_2_TYPE, _SLOT.BUILTIN_OPTIONS_2),
)
_MOST_NODES = 10_000  # of a flexbuffer; a small file can refer to one part without end
_DEEPEST = 32
_BIAS = "quantized_bias_type"

# Options that name a subgraph by its index (schema.fbs)
SUBGRAPH_FIELDS = frozenset(
    (
        "subgraph", "init_subgraph_index", "then_subgraph_index", "else_subgraph_index",
        "cond_subgraph_index", "body_subgraph_index", "branch_subgraph_indices",
        "decomposition_subgraph_index", "update_computation_subgraph_index",
        "comparator_subgraph_index",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """Decoded options.

    Attributes:
        kind: ``Conv2DOptions`` and the like, ``NodeDef`` (Flex), ``flexbuffer``, ``bytes`` (custom
            options in no format that we know), or empty where there are none.
        values: by field; enums by name, custom options of a flexbuffer map by key.
    """

    kind: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def options(model: Model, operator: Operator) -> Options:
    """The options of ``operator``.

    Raises:
        BadFileError: builtin options lie outside the file. Custom options are never an error:
            what cannot be decoded is shown as bytes.
    """
    for union, type_slot, slot in _UNIONS:
        number = operator.table.scalar(type_slot, "B")
        table = operator.table.table(slot) if number else None
        if table is not None:
            member = UNIONS[union].get(number)
            if member is None:
                return Options(f"{union} {number}", {})
            values = decode(table, member)
            if values.get(_BIAS) == "FLOAT32":  # the schema's 0: nobody has set it
                del values[_BIAS]
            return Options(member, values)
    data = custom_options(model, operator)
    if not data:
        return Options()
    if operator.is_flex:
        try:
            node = flex.node_def(data)
            return Options("NodeDef", {name: node.value(name) for name in node.attributes})
        except TflRepairError:
            return _raw(data)
    return _flexbuffer(data)


def custom_options(model: Model, operator: Operator) -> bytes:
    """The bytes of the custom options, inside the operator or behind the flatbuffer."""
    table = operator.table
    start = table.scalar(_SLOT.LARGE_CUSTOM_OPTIONS_OFFSET, "Q")
    if start > 1:
        size = table.scalar(_SLOT.LARGE_CUSTOM_OPTIONS_SIZE, "Q")
        if start + size > model.size:
            raise model.reader.beyond(start, size)
        return bytes(model.read(start, size))
    span = table.span(_SLOT.CUSTOM_OPTIONS)
    return bytes(model.read(*span)) if span else b""


def called_subgraphs(values: Mapping[str, Any]) -> tuple[int, ...]:
    """The subgraphs that decoded options name, in the order of their fields."""
    found: list[int] = []
    for name, value in values.items():
        if name in SUBGRAPH_FIELDS:
            found += value if isinstance(value, tuple) else (value,)
    return tuple(index for index in found if index >= 0)


def _raw(data: bytes) -> Options:
    return Options("bytes", {"length": len(data), "first": data[:32].hex()})


def _flexbuffer(data: bytes) -> Options:
    """Custom options as a flexbuffer, the one format that the schema knows for them."""
    from flatbuffers import flexbuffers

    if len(data) < 3:
        return _raw(data)
    try:
        budget = [_MOST_NODES]
        value = _plain(flexbuffers.GetRoot(data), budget, 0)
    except Exception:  # the library asserts and fails as it may on what is no flexbuffer
        return _raw(data)
    if isinstance(value, dict):
        return Options("flexbuffer", value)
    if value is None or (isinstance(value, (bool, int, float)) and len(data) > 16):
        return _raw(data)  # any bytes end like a number
    return Options("flexbuffer", {"value": value})


def _plain(ref: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        raise ValueError("too large")
    if ref.IsNull:
        return None
    if ref.IsBool:
        return bool(ref.AsBool)
    if ref.IsInt:
        return int(ref.AsInt)
    if ref.IsFloat:
        return float(ref.AsFloat)
    if ref.IsString:
        return str(ref.AsString)
    if ref.IsKey:
        return str(ref.AsKey)
    if ref.IsBlob:
        return bytes(ref.AsBlob)
    if ref.IsMap:
        rows = ref.AsMap
        _check_length(rows, budget)
        keys = [str(key.AsKey) for key in rows.Keys]
        return {key: _plain(rows.Values[n], budget, depth + 1) for n, key in enumerate(keys)}
    if ref.IsVector or ref.IsTypedVector or ref.IsFixedTypedVector:
        row = (
            ref.AsTypedVector if ref.IsTypedVector
            else ref.AsFixedTypedVector if ref.IsFixedTypedVector
            else ref.AsVector
        )  # fmt: skip
        _check_length(row, budget)
        return tuple(_plain(row[n], budget, depth + 1) for n in range(len(row)))
    raise ValueError("a type that we do not know")


def _check_length(row: Any, budget: list[int]) -> None:
    if len(row) > budget[0]:
        raise ValueError("too large")
