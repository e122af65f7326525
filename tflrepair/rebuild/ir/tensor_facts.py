"""What is known of a tensor without running anything: constants, dtypes, quantization."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.types import byte_size
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Tensor
from tflrepair.wording import plural

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Types narrower than a byte are computed in the byte that holds them.
_WIDENED = {"int2": "int8", "int4": "int8", "uint4": "uint8"}


@dataclass(frozen=True)
class Quantization:
    """real = scale * (stored - zero_point), one pair or one for each index of ``axis``."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int


def dtype_of(tensor: Tensor) -> str:
    """The TensorFlow dtype that stands for the tensor's.

    Raises:
        UnsupportedError: TensorFlow has none.
    """
    import tensorflow as tf

    name = _WIDENED.get(tensor.dtype, tensor.dtype)
    try:
        return str(tf.as_dtype(name).name)
    except TypeError:
        raise UnsupportedError(
            f"tensor {tensor.index} has dtype {name}, which is not covered"
        ) from None


def quantization_of(tensor: Tensor) -> Quantization | None:
    """The affine quantization parameters of an integer tensor; None if it has none.

    Raises:
        UnsupportedError: it is quantized in another way.
        BadFileError: the parameters contradict each other or the shape.
    """
    slot = schema.QuantizationParameters
    table = tensor.table.table(schema.Tensor.QUANTIZATION)
    if table is None or "int" not in tensor.dtype:
        return None
    where = f"tensor {tensor.index}"
    if table.scalar(slot.DETAILS_TYPE, "B"):
        raise UnsupportedError("this kind of quantization is not covered", where=where)
    scale = table.numbers(slot.SCALE, "f")
    if not scale:
        return None
    zero_point = table.numbers(slot.ZERO_POINT, "q") or (0,) * len(scale)
    axis = table.scalar(slot.QUANTIZED_DIMENSION, "i")
    if len(zero_point) == 1:
        zero_point *= len(scale)
    several = len(scale) > 1
    if len(zero_point) != len(scale) or (
        several and not (0 <= axis < len(tensor.shape) and tensor.shape[axis] == len(scale))
    ):
        raise BadFileError("its quantization parameters do not fit its shape", where=where)
    return Quantization(scale, zero_point, axis if several else 0)


def constant(model: Model, tensor: Tensor) -> npt.NDArray[Any] | None:
    """The value of a constant tensor; None if it has no data.

    Strings come as an object array of bytes.

    Raises:
        BadFileError: there are more or fewer bytes than its shape needs.
        UnsupportedError: it is sparse.
    """
    import numpy as np
    import tensorflow as tf

    data = model.buffer_bytes(tensor.buffer) if tensor.buffer else memoryview(b"")
    where = f"tensor {tensor.index}"
    if min(tensor.shape, default=0) < 0 or (prod(tensor.shape) > 0 and not data):
        return None
    if tensor.table.table(schema.Tensor.SPARSITY) is not None:
        raise UnsupportedError("a sparse constant is not covered", where=where)
    if tensor.dtype == "string":
        return _strings(data, tensor)
    if byte_size(tensor.dtype, tensor.shape) != len(data):
        raise BadFileError(
            f"{tensor.dtype}{list(tensor.shape)} does not fit its {plural(len(data), 'byte')}",
            where=where,
        )
    if tensor.dtype in _WIDENED:
        return _narrow(data, tensor)
    dtype = tf.as_dtype(dtype_of(tensor)).as_numpy_dtype
    return np.frombuffer(data, dtype).reshape(tensor.shape)


def _narrow(data: memoryview, tensor: Tensor) -> npt.NDArray[Any]:
    """Integers of 2 or 4 bits, the lowest bits first (kernels/internal/portable_tensor_utils.h)."""
    import numpy as np

    bits, count = 2 if tensor.dtype == "int2" else 4, prod(tensor.shape)
    packed = np.frombuffer(data, np.uint8)[:, None] >> np.arange(0, 8, bits, dtype=np.uint8)
    values = (packed & ((1 << bits) - 1)).reshape(-1)[:count].astype(np.int16)
    if not tensor.dtype.startswith("u"):
        values = np.where(values >> (bits - 1), values - (1 << bits), values)
    return values.reshape(tensor.shape).astype(_WIDENED[tensor.dtype])


def _strings(data: memoryview, tensor: Tensor) -> npt.NDArray[Any]:
    """Count, offsets, bytes: tensorflow/lite/string_util.h."""
    import numpy as np

    where = f"tensor {tensor.index}"
    wanted = prod(tensor.shape)
    if not data and not wanted:
        return np.empty(tensor.shape, object)
    try:
        (count,) = struct.unpack_from("<i", data)
        if count != wanted:
            raise BadFileError(
                f"{plural(count, 'string does', 'strings do')} not fit shape {tensor.shape}",
                where=where,
            )
        offsets = struct.unpack_from(f"<{count + 1}i", data, 4)
    except struct.error:
        raise BadFileError("a string constant is cut off", where=where) from None
    if list(offsets) != sorted(offsets) or not 0 <= offsets[0] <= offsets[-1] <= len(data):
        raise BadFileError("a string constant's offsets are malformed", where=where)
    values: np.ndarray[Any, Any] = np.empty(count, object)
    for i in range(count):
        values[i] = bytes(data[offsets[i] : offsets[i + 1]])
    return values.reshape(tensor.shape)
