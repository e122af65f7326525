"""Inputs and outputs of 8 or 16 bits, which stand for the floats that the Python model has.

``real = scale * (stored - zero_point)`` (QuantizationParameters of tflite's schema). Only scales
for the whole tensor count: inputs and outputs have no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflrepair.format import schema
from tflrepair.graph.subgraph import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INTEGERS = ("int8", "uint8", "int16")


def scale_of(tensor: Tensor) -> tuple[float, int] | None:
    """(scale, zero point) of a quantized tensor; None if its integers stand for themselves."""
    if tensor.dtype not in _INTEGERS:
        return None
    table = tensor.table.table(schema.Tensor.QUANTIZATION)
    if table is None:
        return None
    scales = table.numbers(schema.QuantizationParameters.SCALE, "f")
    zeros = table.numbers(schema.QuantizationParameters.ZERO_POINT, "q")
    if len(scales) != 1 or len(zeros) > 1 or not 0 < scales[0] < float("inf"):
        return None
    return float(scales[0]), int(zeros[0]) if zeros else 0


def quantize(value: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """Floats in the tensor's integers, to the nearest and within their range; others as they are.

    NaN becomes 0.
    """
    import numpy as np

    found = scale_of(tensor)
    if found is None or value.dtype.kind != "f":
        return value
    scale, zero = found
    limits = np.iinfo(tensor.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.nan_to_num(np.round(value.astype("float64") / scale) + zero)
    return np.clip(steps, limits.min, limits.max).astype(tensor.dtype)


def dequantize(stored: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """The floats that the tensor's integers stand for; others as they are."""
    found = scale_of(tensor)
    if found is None or stored.dtype.kind not in "iu":
        return stored
    scale, zero = found
    result: NDArray[Any] = ((stored.astype("float64") - zero) * scale).astype("float32")
    return result


def spread(tensor: Tensor) -> tuple[float, float] | None:
    """The least and the greatest float that the tensor can hold, if it is quantized."""
    import numpy as np

    found = scale_of(tensor)
    if found is None:
        return None
    limits = np.iinfo(tensor.dtype)
    return (int(limits.min) - found[1]) * found[0], (int(limits.max) - found[1]) * found[0]
