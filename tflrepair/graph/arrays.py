"""The bytes of a constant as a numpy array."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import strings
from tflrepair.format.types import byte_size
from tflrepair.wording import plural

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

# Element types that numpy has under the same name
_NUMPY = frozenset(
    (
        "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
        "uint32", "uint64", "bool", "complex64", "complex128",
    )
)  # fmt: skip
_PACKED = {"int4": (4, True), "uint4": (4, False), "int2": (2, True)}


def decode(data: memoryview, dtype: str, shape: Sequence[int], place: str) -> Array:
    """``data`` in its shape; types that numpy lacks are widened exactly, as ``decoded`` does.

    Strings become an object array of bytes.

    Raises:
        BadFileError: the bytes do not fit the type and shape.
        UnsupportedError: a type that has no values in a file.
    """
    import numpy as np

    if dtype == "string":
        found = [text.encode("utf-8", "surrogateescape") for text in strings.unpack(data)]
        result = np.empty(len(found), dtype=object)
        result[:] = found
        return result.reshape(shape) if prod(shape) == len(found) else result
    need = byte_size(dtype, tuple(shape))
    if need is None:
        raise UnsupportedError(f"a tensor of type {dtype} has no values", where=place)
    if need != len(data):
        raise BadFileError(
            f"has {plural(len(data), 'byte')}; {dtype} {list(shape)} needs {need}", where=place
        )
    return decoded(data, dtype, prod(shape), place).reshape(shape)


def elements(data: memoryview, dtype: str) -> int:
    """How many elements ``data`` holds."""
    bits = byte_size(dtype, (8,)) or 8
    return len(data) * 8 // bits


def decoded(data: memoryview, dtype: str, count: int, place: str) -> Array:
    """``count`` elements, flat: bfloat16 and float8 as float32, int4, uint4 and int2 in 8 bits."""
    import numpy as np

    if dtype in _NUMPY:
        kind = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(data, kind, len(data) // kind.itemsize)
    if dtype == "bfloat16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if dtype in _PACKED:
        return _unpacked(np.frombuffer(data, np.uint8), *_PACKED[dtype])[:count]
    if dtype.startswith("float8_"):
        return _float8_table(dtype)[np.frombuffer(data, np.uint8)]
    raise UnsupportedError(f"values of type {dtype} are not known to tflrepair", where=place)


def _unpacked(data: Array, bits: int, signed: bool) -> Array:
    """The lower bits first (tensorflow/lite/kernels/internal/portable_tensor_utils.cc)."""
    import numpy as np

    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    values = (data[:, None] >> shifts & ((1 << bits) - 1)).reshape(-1)
    if not signed:
        return values
    return (values.astype(np.int8) ^ (1 << bits - 1)) - np.int8(1 << bits - 1)


def _float8_table(dtype: str) -> Array:
    """All 256 values. E4M3FN: bias 7, no infinity, NaN at S.1111.111; E5M2: bias 15, as IEEE."""
    import numpy as np

    exponent_bits, bias = (4, 7) if "e4m3" in dtype else (5, 15)
    mantissa_bits = 7 - exponent_bits
    codes = np.arange(256)
    exponent = codes >> mantissa_bits & ((1 << exponent_bits) - 1)
    mantissa = (codes & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
    value = np.where(
        exponent == 0, mantissa * 2.0 ** (1 - bias), (1 + mantissa) * 2.0 ** (exponent - bias)
    )
    top = exponent == (1 << exponent_bits) - 1
    if exponent_bits == 4:
        value[codes & 127 == 127] = np.nan
    else:
        value[top & (mantissa == 0)] = np.inf
        value[top & (mantissa > 0)] = np.nan
    return np.where(codes > 127, -value, value).astype(np.float32)
