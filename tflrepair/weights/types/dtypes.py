"""Element types by name. bfloat16 is numpy's only with the package ml_dtypes."""

from __future__ import annotations

from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.weights.types.weight import Array

_BFLOAT16 = "bfloat16"


def numpy_dtype(name: str) -> Any:
    """The numpy dtype called ``name``.

    Raises:
        UnsupportedError: it is bfloat16, and ml_dtypes is not installed.
    """
    import numpy as np

    if name == _BFLOAT16:
        try:
            import ml_dtypes
        except ImportError:
            raise UnsupportedError(
                "values of the type bfloat16 need the package ml_dtypes",
                hint="run `pip install ml_dtypes`",
            ) from None
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def is_float(dtype: Any) -> bool:
    """Whether a numpy dtype is one of floats, bfloat16 among them."""
    return bool(dtype.kind == "f" or dtype.name == _BFLOAT16)


def little_endian(array: Array) -> bytes:
    """The elements as a .tflite holds them, in row-major order."""
    if array.dtype.name == _BFLOAT16:
        array = array.view("uint16")
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
