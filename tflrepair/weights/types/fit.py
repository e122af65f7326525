"""Whether an array can be a variable at all."""

from __future__ import annotations

from tflrepair.weights.types.weight import Target, Weight


def fits(target: Target, weight: Weight) -> bool:
    """Whether the array's shape and kind of number are the variable's."""
    if _kind(target.dtype) != _kind(weight.dtype):
        return False
    if target.shape is None:
        return True
    return len(target.shape) == len(weight.shape) and all(
        want in (-1, have) for want, have in zip(target.shape, weight.shape, strict=True)
    )


def _kind(dtype: str) -> str:
    """``float``, ``int`` or ``bool``: no value changes between these."""
    name = dtype.rstrip("0123456789").removeprefix("b").removeprefix("u")
    return {"ool": "bool"}.get(name, name)
