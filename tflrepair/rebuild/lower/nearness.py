"""How near two right answers of a training step are to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tflrepair.graph.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Half the distance of neighbouring values near 1: what one rounding can be off by.
UNITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
FLOAT32 = 2.0**-24

MOVED = 16.0  # roundings by which inputs are moved, to see what that changes
# A wrong gradient is off by its own size; kernels that sum in another order are off by 1e-5 of it.
STEP = 1e-2  # of the largest change that a step makes
NOISE = 16.0  # times what the moved inputs change
ROUNDINGS = 8.0  # of the largest value
SEED = 7


def unit_of(model: Model, subgraphs: Iterable[int]) -> float:
    """The rounding of the narrowest floats that ``subgraphs`` compute with.

    Constants do not count: weights stored as float16 are widened first.
    """
    units = [FLOAT32]
    for number in subgraphs:
        subgraph = model.subgraph(number)
        for operator in subgraph.operators:
            dtypes = {subgraph.tensor(t).dtype for t in operator.outputs if t >= 0}
            units += [UNITS[dtype] for dtype in dtypes if dtype in UNITS]
    return max(units)


def moved(arrays: Mapping[str, NDArray[Any]], unit: float) -> dict[str, NDArray[Any]]:
    """``arrays`` with each float moved up or down by a few roundings."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    return {
        name: (a * (1 + MOVED * unit * rng.choice([-1, 1], a.shape))).astype(a.dtype)
        if a.dtype.kind == "f"
        else a
        for name, a in arrays.items()
    }


def excess(got: Any, want: Any, near: Any, start: Any, unit: float) -> str:
    """Why ``got`` is another answer than ``want``; empty if it is not, or ``want`` says nothing.

    Args:
        near: the answer to moved inputs.
        start: the variable's value before the step; None for an output.
    """
    import numpy as np

    if got.shape != want.shape:
        return f"has the shape {got.shape} instead of {want.shape}"
    if not tells(want, near):
        return ""
    ours, theirs, other = (np.asarray(a, np.float64) for a in (got, want, near))
    size = np.abs(theirs).max()
    step = size if start is None else np.abs(theirs - np.asarray(start, np.float64)).max()
    noise = NOISE * np.abs(other - theirs).max()
    if noise >= step:  # nothing but noise; slots of optimizers hold its square
        noise *= NOISE
    allowed = STEP * step + noise + ROUNDINGS * unit * max(size, 1e-30)
    gap = np.abs(ours - theirs).max()
    return "" if gap <= allowed else f"differs by {gap:.3g}, where {allowed:.3g} is explained"


def tells(want: Any, near: Any) -> bool:
    """Whether an answer can be compared: numbers, all of them finite."""
    import numpy as np

    if not want.size or want.dtype.kind not in "fiub":
        return False
    return bool(np.isfinite(want).all() and np.isfinite(near).all())
