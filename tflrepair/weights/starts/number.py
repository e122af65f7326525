"""A number that somebody gives, as a variable can hold it."""

from __future__ import annotations

import math

from tflrepair.errors import UserError
from tflrepair.format.types import numpy_dtype


def number(what: str, text: str | float, dtype: str) -> float | int:
    """The number that ``text`` says, for a variable of ``dtype``.

    Args:
        what: the option, and the variable if it names one, for messages.

    Raises:
        UserError: it is no number, not finite, or ``dtype`` has none close to it.
    """
    shown = f"{what}={text if len(str(text)) < 40 else str(text)[:40] + '...'}"
    try:
        value = float(text)
    except (ValueError, OverflowError):
        raise UserError(f"{shown}: not a number") from None
    if not math.isfinite(value):
        raise UserError(f"{shown}: not a finite number")
    if not value and _has_digits(str(text)):  # 1e-400, of which Python makes 0.0
        raise UserError(f"{shown}: no {dtype} is close to it")
    if "float" in dtype or "complex" in dtype:
        _check_float(shown, value, dtype)
        return value
    if value != int(value):
        raise UserError(f"{shown}: whole numbers are wanted ({dtype})")
    whole = int(text) if isinstance(text, (str, int)) and _is_plain(text) else int(value)
    low, high = _range(dtype)
    if not low <= whole <= high:
        raise UserError(f"{shown}: {dtype} goes from {low} to {high}")
    return whole


def _has_digits(text: str) -> bool:
    """Whether a number that is written so is not zero."""
    return any(c.isdecimal() and int(c) for c in text.lower().partition("e")[0])


def _is_plain(text: str | int) -> bool:
    return isinstance(text, int) or text.strip().lstrip("+-").isdecimal()


def _check_float(shown: str, value: float, dtype: str) -> None:
    """Raises UserError for a number that would become infinite, or 0, in ``dtype``."""
    import numpy as np

    with np.errstate(all="ignore"):
        stored = np.array(value).astype(numpy_dtype(dtype))
    if not np.isfinite(stored) or (value and not stored):
        raise UserError(f"{shown}: no {dtype} is close to it")


def _range(dtype: str) -> tuple[int, int]:
    import numpy as np

    if dtype == "bool":
        return 0, 1
    limits = np.iinfo(numpy_dtype(dtype))
    return int(limits.min), int(limits.max)
