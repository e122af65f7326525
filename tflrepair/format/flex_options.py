"""Custom options for new Flex operators: what ``flex`` reads, written.

A flexbuffer vector of [operator name, serialized NodeDef], as the converter writes them
(tensorflow/compiler/mlir/lite/flatbuffer_export.cc, ``CreateFlexOpCustomOptions``).
"""

from __future__ import annotations

from tflrepair.errors import UnsupportedError
from tflrepair.format.flex import DTYPES

ASSIGN = "AssignVariableOp"
# NodeDef: op = 2, input = 3, attr = 5 (tensorflow/core/framework/node_def.proto); an entry of a
# map: key = 1, value = 2. AttrValue: b = 5, type = 6 (attr_value.proto).
_OP, _INPUT, _ATTR = 2, 3, 5
_B, _TYPE = 5, 6


def assign_variable(dtype: str) -> bytes:
    """Options of a FlexAssignVariableOp for a variable of ``dtype`` (``float16``, say).

    Raises:
        UnsupportedError: TensorFlow has no such type.
    """
    from flatbuffers import flexbuffers

    numbers = [number for number, name in DTYPES.items() if name == dtype]
    if not numbers:
        raise UnsupportedError(f"TensorFlow has no type {dtype!r}")
    node = _bytes(_OP, ASSIGN.encode()) + 2 * _bytes(_INPUT, b"")
    node += _attribute(b"dtype", _number(_TYPE, numbers[0]))
    node += _attribute(b"validate_shape", _number(_B, 0))
    builder = flexbuffers.Builder()
    with builder.Vector():
        builder.String(ASSIGN)
        builder.String(node.decode("ascii"))
    return bytes(builder.Finish())


def _attribute(name: bytes, value: bytes) -> bytes:
    return _bytes(_ATTR, _bytes(1, name) + _bytes(2, value))


def _bytes(field: int, data: bytes) -> bytes:
    """A protobuf field of wire type 2; nothing here is longer than 127 bytes."""
    return bytes((field << 3 | 2, len(data))) + data


def _number(field: int, value: int) -> bytes:
    return bytes((field << 3, value))
