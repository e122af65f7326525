"""The TensorFlow node inside a Flex operator.

A Flex operator's custom_options are a flexbuffer vector of [operator name, serialized NodeDef]
(tensorflow/lite/delegates/flex/kernel.cc, ``OpNode::InitializeNodeDef``). NodeDef and AttrValue
are protobufs (tensorflow/core/framework/node_def.proto, attr_value.proto); the few fields that we
need are read here, because their Python classes come only with TensorFlow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.wording import plural

# tensorflow/core/framework/types.proto, DataType -> our names
DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128",
    19: "float16", 20: "resource", 21: "variant", 22: "uint32", 23: "uint64",
}  # fmt: skip

# google/flatbuffers include/flatbuffers/flexbuffers.h, FBT_STRING and FBT_VECTOR
_FLEX_STRING = 5
_FLEX_VECTOR = 10


@dataclass(frozen=True)
class NodeDef:
    """A TensorFlow node: its operator and its attributes, each a serialized AttrValue."""

    op: str
    attributes: dict[str, bytes]

    def text(self, name: str) -> str:
        """The string attribute ``name``; empty if absent."""
        for number, value in _fields(self.attributes.get(name, b"")):
            if number == 2 and isinstance(value, bytes):
                return value.decode("utf-8", "surrogateescape")
        return ""

    def value(self, name: str) -> Any:
        """Any attribute as plain Python: text, number, type name, shape, or a tuple of these.

        A tensor, a function and what is malformed give a short description in ``<>``.
        """
        try:
            return _attribute(self.attributes.get(name, b""))
        except (TflRepairError, struct.error):
            return "<malformed>"

    def dtype(self, name: str) -> str | None:
        """The type attribute ``name`` as ``float32`` and the like; None if absent."""
        for number, value in _fields(self.attributes.get(name, b"")):
            if number == 6 and isinstance(value, int):
                return DTYPES.get(value, f"DataType {value}")
        return None

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape attribute ``name``, -1 where open; None if absent or of unknown rank."""
        for number, value in _fields(self.attributes.get(name, b"")):
            if number == 7 and isinstance(value, bytes):
                return _shape(value)
        return None


def node_def(custom_options: bytes) -> NodeDef:
    """Decode the custom options of a Flex operator.

    Raises:
        BadFileError: they are not a flexbuffer of two strings, or the NodeDef is malformed.
    """
    serialized = _second_string(custom_options)
    op = ""
    attributes: dict[str, bytes] = {}
    for number, value in _fields(serialized):
        if number == 2 and isinstance(value, bytes):
            op = value.decode("utf-8", "replace")
        elif number == 5 and isinstance(value, bytes):
            entry = {key: part for key, part in _fields(value) if isinstance(part, bytes)}
            attributes[entry.get(1, b"").decode("utf-8", "replace")] = entry.get(2, b"")
    return NodeDef(op, attributes)


def _second_string(data: bytes) -> bytes:
    """The second string of a flexbuffer vector (google.github.io/flatbuffers, FlexBuffers).

    The buffer is read from its end: root value, root type, root width. Offsets point backward.
    """
    try:
        width = data[-1]
        vector = _back(data, len(data) - 2 - width, width)
        if data[-2] >> 2 != _FLEX_VECTOR:
            raise BadFileError("Flex options are not a flexbuffer vector")
        width = 1 << (data[-2] & 3)
        count = _number(data, vector - width, width)
        if count < 2:
            raise BadFileError("Flex options lack the serialized NodeDef")
        kind = data[vector + count * width + 1]
        text = _back(data, vector + width, width)
        if kind >> 2 != _FLEX_STRING:
            raise BadFileError("the NodeDef in Flex options is not a string")
        length = _number(data, text - (1 << (kind & 3)), 1 << (kind & 3))
    except IndexError:
        raise BadFileError("Flex options are not a [name, NodeDef] flexbuffer") from None
    if text + length > len(data):
        raise BadFileError("the NodeDef in Flex options runs past their end")
    return data[text : text + length]


def _number(data: bytes, pos: int, width: int) -> int:
    if pos < 0 or width not in (1, 2, 4, 8) or pos + width > len(data):
        raise IndexError
    return int.from_bytes(data[pos : pos + width], "little")


def _back(data: bytes, pos: int, width: int) -> int:
    target = pos - _number(data, pos, width)
    if target < 0:
        raise IndexError
    return target


def _attribute(data: bytes) -> Any:
    """An AttrValue: a oneof of list 1, s 2, i 3, f 4, b 5, type 6, shape 7, tensor 8, func 10."""
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            return tuple(_attribute_list(value))
        return _single(number, value)
    return None


def _single(number: int, value: int | bytes) -> Any:
    if isinstance(value, int):
        if number == 6:
            return DTYPES.get(value, f"DataType {value}")
        return bool(value) if number == 5 else value - (1 << 64) if value >> 63 else value
    if number == 2:
        return value.decode("utf-8", "surrogateescape")
    if number == 4:
        return struct.unpack("<f", value)[0]
    if number == 7:
        return _shape(value)
    return {8: "<tensor>", 10: "<function>"}.get(number, f"<{plural(len(value), 'byte')}>")


def _attribute_list(data: bytes) -> Iterator[Any]:
    """The members of AttrValue.ListValue, whose numbers may be packed into one field."""
    for number, value in _fields(data):
        if isinstance(value, bytes) and number == 4:
            yield from struct.unpack(f"<{len(value) // 4}f", value)
        elif isinstance(value, bytes) and number in (3, 5, 6):
            pos = 0
            while pos < len(value):
                part, pos = _varint(value, pos)
                yield _single(number, part)
        else:
            yield _single(number, value)


def _shape(data: bytes) -> tuple[int, ...] | None:
    sizes = []
    for number, value in _fields(data):
        if number == 3 and value:
            return None
        if number == 2 and isinstance(value, bytes):
            size = next((v for n, v in _fields(value) if n == 1 and isinstance(v, int)), 0)
            sizes.append(size - (1 << 64) if size >> 63 else size)
    return tuple(sizes)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) pairs of a protobuf message, in the wire format's order."""
    pos = 0
    while pos < len(data):
        key, pos = _varint(data, pos)
        wire = key & 7
        if wire == 0:
            number, pos = _varint(data, pos)
            yield key >> 3, number
            continue
        if wire == 2:
            length, pos = _varint(data, pos)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise BadFileError(f"NodeDef has a field of unknown wire type {wire}")
        if pos + length > len(data):
            raise BadFileError("NodeDef ends in the middle of a field")
        yield key >> 3, data[pos : pos + length]
        pos += length


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if pos >= len(data):
            break
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, pos
    raise BadFileError("NodeDef has a malformed number")
