"""Builtin options as keywords, read with the schema classes that TensorFlow brings along.

``tensorflow.lite.python.schema_py_generated`` is the schema of the very converter that writes the
rebuilt model, so no list of option fields is kept here.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.reader import Reader, Table
from tflrepair.format.splice import Head, layout
from tflrepair.format.types import type_name
from tflrepair.graph.subgraph import Operator
from tflrepair.rewrite.deep_copy import copy
from tflrepair.sources.source import MemorySource

# Fields that are enums, and the names of their values.
_ENUMS = {
    "fused_activation_function": "ActivationFunctionType",
    "padding": "Padding",
    "mode": "MirrorPadMode",
}
# Fields that repeat what the operator's tensors say; kernels go by the tensors.
_REPEATED = frozenset({"out_type", "output_type", "in_data_type", "out_data_type", "values_count"})
# Fields that choose how a kernel computes, not what.
_HARMLESS = frozenset({"asymmetric_quantize_inputs", "pot_scale_int16", "quantized_bias_type"})


def read_options(operator: Operator, accepted: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the operator's function takes (``accepted``), in snake case.

    Raises:
        BadFileError: the options are malformed.
        UnsupportedError: an option that the function does not take has another value than its
            default, so that leaving it out would change the answer.
    """
    fields, defaults = _fields(operator)
    result = {}
    for name, value in fields.items():
        if name in accepted:
            result[name] = _plain(name, value)
        elif name not in _REPEATED | _HARMLESS and _differs(value, defaults[name]):
            raise UnsupportedError(f"option {name} = {_plain(name, value)} is not covered")
    return result


def _fields(operator: Operator) -> tuple[dict[str, Any], dict[str, Any]]:
    """All fields of the operator's options, and the schema's defaults; empty without options."""
    slot = schema.Operator
    unions = (
        (schema.BuiltinOptions, slot.BUILTIN_OPTIONS_TYPE, slot.BUILTIN_OPTIONS),
        (schema.BuiltinOptions2, slot.BUILTIN_OPTIONS_2_TYPE, slot.BUILTIN_OPTIONS_2),
    )
    for union, type_slot, slot_ in unions:
        number = operator.table.scalar(type_slot, "B")
        table = operator.table.table(slot_) if number else None
        if table is None:
            continue
        member = next((k for k, v in vars(union).items() if v == number), None)
        if member is None:
            raise UnsupportedError(f"options of type {number} are newer than this schema")
        return _unpack(table, member)
    return {}, {}


def _unpack(table: Table, member: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from tensorflow.lite.python import schema_py_generated as generated

    options = getattr(generated, member)()
    unpacked = getattr(generated, member + "T")
    defaults = {_snake(name): value for name, value in vars(unpacked()).items()}
    counted = _SlotCount()
    getattr(generated, f"{member}Start")(counted)
    if table.unknown_slots([""] * counted.slots):
        raise UnsupportedError(f"{member} has fields that are newer than this TensorFlow")
    try:
        options.Init(*_in_memory(table, member))
        values = vars(unpacked.InitFromObj(options))
    except (struct.error, IndexError, TypeError, ValueError, OverflowError) as error:
        raise BadFileError(f"{member} is malformed: {error}") from None
    return {_snake(name): value for name, value in values.items()}, defaults


def _in_memory(table: Table, member: str) -> tuple[memoryview, int]:
    """Bytes that hold a table, and where: the generated classes take nothing else.

    Of a file that is not in memory they are a copy of the table alone.
    """
    source = table.reader.source
    if isinstance(source, MemorySource):
        return source.data, table.pos
    head = Head(layout([], 0, 0))
    data = head.finish(copy(head, table, member))
    return memoryview(data), Reader(memoryview(data)).root().pos


class _SlotCount:
    """Stands in for a flatbuffers builder to learn a table's slots, deprecated ones included."""

    slots = 0

    def StartObject(self, slots: int) -> None:
        self.slots = slots


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _plain(name: str, value: Any) -> Any:
    """``value`` as a Python literal: enums by name, vectors as tuples."""
    if name in _ENUMS:
        return _enum_name(_ENUMS[name], int(value))
    if name.endswith("_type") and isinstance(value, int):
        return type_name(value)
    if value is None:
        return ()
    return tuple(value.tolist()) if hasattr(value, "tolist") else value


def _enum_name(enum: str, value: int) -> str:
    from tensorflow.lite.python import schema_py_generated as generated

    for name, number in vars(getattr(generated, enum)).items():
        if number == value and not name.startswith("_"):
            return str(name)
    raise BadFileError(f"{enum} has no value {value}")


def _differs(value: Any, default: Any) -> bool:
    if value is None or default is None:
        return value is not default and len(value if default is None else default) > 0
    return bool(value != default)
