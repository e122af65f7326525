"""How far two outputs are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tflrepair.wording import plural, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Kernels sum in different orders (XNNPACK packs and vectorises, builtin kernels do not), so an
# answer wanders by some float32 epsilons (1.2e-7) times the square root of the terms and the depth:
# up to 1e-5 on a MobileNetV2 of random weights. Swapped or missing weights differ by 1e-2 and
# more. The defaults lie between; a repair that must be exact is asked for with 0 and 0.
RTOL = 1e-4
ATOL = 1e-5

# What is left where large terms cancel is rounding of their size, so small answers of a deep net
# wander by more of themselves. Of an output's largest value two kernels differ by 1e-6 to 5e-6 on
# 18 public models and by 1.2e-4 on one that takes logarithms of a spectrum. Ten times rtol of it
# may be rounding; a delegate that computes something else is farther off.
DELEGATE = 10

# Each layer of 8 bits rounds to 1/256 of its range, and that adds up: the answers of quantized
# networks lie 1 to 5 % of their spread from the float ones, those of other weights 50 % and more.
QUANTIZED = 0.1


@dataclass(frozen=True)
class Gap:
    """The distance of an output from what it should be.

    Attributes:
        within: |got - want| <= atol + rtol * |want| everywhere; exactly equal if not floats.
        max_abs, max_rel: the largest |got - want|, and the largest of it over |want| where want
            is not 0; None where they mean nothing (shapes differ, strings, NaN).
        share: ``max_abs`` over the largest |want|; None as they are, or if that is 0.
        text: what is wrong in words where there is no number for it.
    """

    output: str
    within: bool
    max_abs: float | None = None
    max_rel: float | None = None
    share: float | None = None
    text: str = ""


def gap(
    name: str,
    got: NDArray[Any],
    want: NDArray[Any],
    rtol: float,
    atol: float,
    *,
    nan_equal: bool = False,
) -> Gap:
    """Compare one output. A NaN is within only of a NaN, and only if ``nan_equal``."""
    import numpy as np

    if got.shape != want.shape:
        return Gap(name, False, text=f"shape {list(got.shape)} against {list(want.shape)}")
    if got.dtype.kind not in "fciub" or want.dtype.kind not in "fciub":
        count = int(np.sum(_texts(got) != _texts(want))) if got.size else 0
        told = share(count, got.size, "value", "differs", "differ") if count else ""
        return Gap(name, count == 0, text=told)
    exact = got.dtype.kind not in "fc" and want.dtype.kind not in "fc"
    if not got.size or (exact and np.array_equal(got, want)):
        return Gap(name, True, 0.0, 0.0)
    wide = np.complex128 if "c" in got.dtype.kind + want.dtype.kind else np.float64
    a, b = got.astype(wide), want.astype(wide)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        off = np.where(a == b, 0.0, np.abs(a - b))
        if nan_equal:
            off = np.where(np.isnan(a) & np.isnan(b), 0.0, off)
        scale = np.abs(b)
        # inf <= inf holds, so an infinite wanted value is matched by itself alone
        good = (off == 0) | ((off <= atol + rtol * scale) & np.isfinite(scale))
        nonzero = np.isfinite(scale) & (scale > 0)
        relative = off[nonzero] / scale[nonzero]
    if not np.isfinite(off).all():
        count = int(np.sum(~np.isfinite(off)))
        return Gap(
            name,
            False,
            text=f"NaN or Inf against another value in {count} of {plural(got.size, 'value')}",
        )
    largest = float(relative.max()) if relative.size else 0.0
    size, most = float(scale.max()), float(off.max())
    of_all = most / size if 0 < size < np.inf else None
    return Gap(name, not exact and bool(good.all()), most, largest, of_all)


def matching(got: NDArray[Any], want: NDArray[Any], rtol: float, atol: float) -> int:
    """How many numbers are within the tolerance of ``gap``."""
    import numpy as np

    if got.shape != want.shape or got.dtype.kind not in "fiub" or want.dtype.kind not in "fiub":
        return 0
    a, b = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return int(np.sum(np.abs(a - b) <= atol + rtol * np.abs(b)))


def distance(got: NDArray[Any], want: NDArray[Any]) -> float:
    """|got - want| over the spread of ``want`` around its mean, both as root mean squares.

    0 is equal, 1 as far as a constant is. Infinite where they cannot be compared.
    """
    import numpy as np

    numbers = got.dtype.kind in "fiub" and want.dtype.kind in "fiub"
    if got.shape != want.shape or not numbers or not got.size:
        return float("inf")
    a, b = got.astype(np.float64), want.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = float(np.sqrt(np.mean((b - b.mean()) ** 2))) or float(np.abs(b).max()) or 1.0
    return float(np.sqrt(np.mean((a - b) ** 2))) / scale


def _texts(array: NDArray[Any]) -> NDArray[Any]:
    """Strings, and types that numpy only carries, as bytes objects."""
    import numpy as np

    result = np.empty(array.size, dtype=object)
    for number, value in enumerate(array.ravel()):
        if isinstance(value, str):
            result[number] = value.encode()
        else:
            result[number] = value if isinstance(value, bytes) else bytes(value)
    return result


def not_finite(array: NDArray[Any]) -> str:
    """``NaN in 62 of 62 values``; empty if all are finite."""
    import numpy as np

    if array.dtype.kind not in "fc":
        return ""
    nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    parts = [
        f"{word} in {n} of {plural(array.size, 'value')}"
        for word, n in (("NaN", nan), ("Inf", inf))
        if n
    ]
    return ", ".join(parts)
