"""Random values, drawn once from a fixed seed."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(7)


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Any:
    return RNG.uniform(low, high, shape).astype(np.float32)


def whole(*shape: int, low: int = -9, high: int = 9, dtype: Any = np.int32) -> Any:
    return RNG.integers(low, high, shape, endpoint=True).astype(dtype)


def i32(*values: Any) -> Any:
    return np.array(values, np.int32)


def scalar(value: Any, dtype: Any = np.int32) -> Any:
    return np.array(value, dtype)
