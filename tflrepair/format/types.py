"""Element types of tensors: their names and sizes (schema enum TensorType)."""

from __future__ import annotations

from math import prod

from tflrepair.format import schema

# bits of one element; strings, resources and variants have no fixed size
_BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "INT32": 32, "UINT8": 8, "INT64": 64, "BOOL": 8, "INT16": 16,
    "COMPLEX64": 64, "INT8": 8, "FLOAT64": 64, "COMPLEX128": 128, "UINT64": 64, "UINT32": 32,
    "UINT16": 16, "INT4": 4, "BFLOAT16": 16, "INT2": 2, "UINT4": 4, "FLOAT8_E4M3FN": 8,
    "FLOAT8_E5M2": 8,
}  # fmt: skip


def type_name(code: int) -> str:
    """``0`` -> ``float32``. A type newer than our schema shows as ``type 99``."""
    name = schema.TENSOR_TYPE_NAMES.get(code)
    return name.lower() if name else f"type {code}"


def byte_size(dtype: str, shape: tuple[int, ...] | None) -> int | None:
    """Bytes of a tensor of ``dtype`` (as ``type_name`` gives it); None where it is not fixed."""
    bits = _BITS.get(dtype.upper())
    if bits is None or shape is None or any(size < 0 for size in shape):
        return None
    return (prod(shape) * bits + 7) // 8


def type_code(dtype: str) -> int:
    """``float32`` -> ``0``; the inverse of ``type_name``. KeyError for what it never returns."""
    return _CODES[dtype]


_CODES = {name.lower(): code for code, name in schema.TENSOR_TYPE_NAMES.items()}
