"""The values of constants: decoded arrays, and what they look like in a line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import strings
from tflrepair.format.types import byte_size
from tflrepair.graph.model import Model
from tflrepair.views.tensors import TensorView

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
_HASH_LENGTH = 12  # hexadecimal digits shown of a SHA-256
_CHUNK = 1 << 22  # elements looked at together


@dataclass(frozen=True)
class Stats:
    """What an array of numbers looks like; None where it means nothing (no finite element).

    ``zeros``, ``nan``, ``inf`` count elements.
    """

    count: int
    min: float | None
    max: float | None
    mean: float | None
    zeros: int
    nan: int
    inf: int
    sha256: str


def array(model: Model, tensor: TensorView) -> Array:
    """The values of a constant, in its shape.

    Types that numpy lacks are widened exactly: bfloat16 and float8 to float32, int4, uint4 and
    int2 to 8 bits. Strings become an object array of bytes. A sparse tensor gives its stored
    values, flat.

    Raises:
        BadFileError: the bytes in the file do not fit the type and shape.
        UnsupportedError: a type that has no values in a file, or bytes in another file.
    """
    import numpy as np

    place = f"subgraph {tensor.subgraph}, tensor {tensor.index}"
    if tensor.external and not tensor.stored:
        raise UnsupportedError("its bytes are in another file", where=place)
    data = model.buffer_bytes(tensor.buffer)
    if tensor.dtype == "string":
        found = [text.encode("utf-8", "surrogateescape") for text in strings.unpack(data)]
        result = np.empty(len(found), dtype=object)
        result[:] = found
        return result.reshape(tensor.shape) if prod(tensor.shape) == len(found) else result
    if tensor.sparsity is not None:
        return _decoded(data, tensor.dtype, _elements(data, tensor.dtype), place)
    need = byte_size(tensor.dtype, tensor.shape)
    if need is None:
        raise UnsupportedError(f"a tensor of type {tensor.dtype} has no values", where=place)
    if need != len(data):
        raise BadFileError(
            f"has {len(data)} bytes; {tensor.dtype} {list(tensor.shape)} needs {need}", where=place
        )
    flat = _decoded(data, tensor.dtype, prod(tensor.shape), place)
    return flat.reshape(tensor.shape)


def _elements(data: memoryview, dtype: str) -> int:
    bits = byte_size(dtype, (8,)) or 8
    return len(data) * 8 // bits


def _decoded(data: memoryview, dtype: str, count: int, place: str) -> Array:
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


def real(values: Array, quantization: Mapping[str, Any] | None) -> Array | None:
    """``scale * (value - zero_point)`` as float64; None where the scheme is another one.

    Scales may be one, or one for each slice of ``quantized_dimension`` (schema.fbs).
    """
    import numpy as np

    if quantization is None or not quantization["scale"] or quantization["details"]:
        return None
    scale = np.array(quantization["scale"], np.float64)
    zero = np.array(quantization["zero_point"] or (0,), np.float64)
    axis = quantization["quantized_dimension"]
    if scale.size > 1:
        if not 0 <= axis < values.ndim or values.shape[axis] != scale.size:
            return None
        shape = [1] * values.ndim
        shape[axis] = -1
        scale = scale.reshape(shape)
        zero = zero.reshape(shape) if zero.size == scale.size else zero[:1]
    return scale * (values.astype(np.float64) - zero)


def statistics(values: Array) -> Stats:
    """Figures over all elements, some million at a time; the hash is of the bytes as decoded."""
    import numpy as np

    digest = hashlib.sha256()
    if values.dtype == object:
        for value in values.ravel():
            digest.update(len(value).to_bytes(8, "little") + value)
        return Stats(values.size, None, None, None, 0, 0, 0, digest.hexdigest()[:_HASH_LENGTH])
    low, high, total, finite = np.inf, -np.inf, 0.0, 0
    zeros = nan = inf = 0
    flat = values.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        part = np.ascontiguousarray(flat[start : start + _CHUNK])
        digest.update(part.view(np.uint8).data)
        zeros += int(part.size - np.count_nonzero(part))
        if part.dtype.kind == "c":
            part = np.abs(part)
        good = part
        if part.dtype.kind == "f":
            bad = ~np.isfinite(part)
            if bad.any():
                nan += int(np.isnan(part).sum())
                inf += int(np.isinf(part).sum())
                good = part[~bad]
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
            total += float(good.sum(dtype=np.float64))
            finite += good.size
    some = finite > 0
    return Stats(
        values.size,
        low if some else None,
        high if some else None,
        total / finite if some else None,
        zeros,
        nan,
        inf,
        digest.hexdigest()[:_HASH_LENGTH],
    )
