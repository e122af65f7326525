"""bfloat16 is a float like others, though numpy has it from the package ml_dtypes only."""

from __future__ import annotations

from typing import Any

from tflrepair.weights.types.weight import Array

_BFLOAT16 = "bfloat16"


def is_float(dtype: Any) -> bool:
    """Whether a numpy dtype is one of floats, bfloat16 among them."""
    return bool(dtype.kind == "f" or dtype.name == _BFLOAT16)


def little_endian(array: Array) -> memoryview:
    """The elements as a .tflite holds them, in row-major order.

    Not copied where the array has them so: a copy of some megabytes costs more than writing it.
    """
    if array.dtype.name == _BFLOAT16:
        array = array.view("uint16")
    whole = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    return whole.reshape(-1).view("uint8").data
