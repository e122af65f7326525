"""Element types of tensors: their names and sizes (schema enum TensorType)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.errors import UnsupportedError
from tflrepair.format import schema

if TYPE_CHECKING:
    import numpy as np

# bits of one element; strings, resources and variants have no fixed size
_BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "INT32": 32, "UINT8": 8, "INT64": 64, "BOOL": 8, "INT16": 16,
    "COMPLEX64": 64, "INT8": 8, "FLOAT64": 64, "COMPLEX128": 128, "UINT64": 64, "UINT32": 32,
    "UINT16": 16, "INT4": 4, "BFLOAT16": 16, "INT2": 2, "UINT4": 4, "FLOAT8_E4M3FN": 8,
    "FLOAT8_E5M2": 8,
}  # fmt: skip

_MOST_ELEMENTS = 2**63 - 1

# our names of element types that numpy has under the same name
NUMPY_TYPES = frozenset({
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
    "uint32", "uint64", "bool", "complex64", "complex128",
})  # fmt: skip
_ML_TYPES = frozenset({"bfloat16", "float8_e4m3fn", "float8_e5m2"})


def type_name(code: int) -> str:
    """``0`` -> ``float32``. A type newer than our schema shows as ``type 99``."""
    return _NAMES.get(code) or f"type {code}"


def byte_size(dtype: str, shape: tuple[int, ...] | None) -> int | None:
    """Bytes of a tensor of ``dtype`` (as ``type_name`` gives it); None where it is not fixed."""
    bits = _BITS.get(dtype.upper())
    count = None if shape is None else element_count(shape)
    return None if bits is None or count is None else (count * bits + 7) // 8


def element_count(shape: Sequence[int]) -> int | None:
    """The product of ``shape``; None where a size is open or negative, or no machine could have so
    many elements (runtimes count them in 64 bits: tensorflow/lite/util.cc, ``BytesRequired``)."""
    if any(size < 0 for size in shape):
        return None
    if 0 in shape:
        return 0
    count = 1
    for size in shape:
        count *= size
        if count > _MOST_ELEMENTS:
            return None
    return count


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """numpy's type for an element type, with the help of ml_dtypes where numpy has none.

    Raises:
        UnsupportedError: there is none (int4, strings, resources), or ml_dtypes is not installed.
    """
    import numpy as np

    if dtype in NUMPY_TYPES:
        return np.dtype(dtype)
    if dtype not in _ML_TYPES:
        raise UnsupportedError(f"elements of type {dtype} cannot be given a value")
    try:
        import ml_dtypes
    except ImportError:
        raise UnsupportedError(
            f"{dtype} needs the package ml_dtypes", hint="run `pip install ml_dtypes`"
        ) from None
    found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, dtype))
    return found


def type_code(dtype: str) -> int:
    """``float32`` -> ``0``; the inverse of ``type_name``. KeyError for what it never returns."""
    return _CODES[dtype]


_NAMES = {code: name.lower() for code, name in schema.TENSOR_TYPE_NAMES.items()}
_CODES = {name: code for code, name in _NAMES.items()}
