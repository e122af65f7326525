"""Evidence against a match, from the values themselves."""

from __future__ import annotations

from collections.abc import Iterable

from tflrepair.weights.names import split_number, split_path
from tflrepair.weights.table import WEIGHT, Problem, Row

_VARIANCES = ("moving_variance", "variance")
_SURE = ("exact", "given")


def suspicious(rows: Iterable[Row]) -> tuple[list[Problem], list[str]]:
    """(problems, warnings) from reading each matched array once, one at a time.

    A negative variance is a problem, because the array must be something else, unless the match
    rests on exact names or a map. NaN, infinity, and arrays that are all zeros while the same role
    of other layers is not, are warnings.
    """
    import numpy as np

    problems, warnings = [], []
    zeros: dict[str, list[str]] = {}
    filled: set[str] = set()
    for row in rows:
        if row.origin != WEIGHT or row.weight is None:
            continue
        name = row.target.shared_name
        role = split_number(split_path(name)[1])[0]
        array = row.weight.read()
        if array.dtype.kind not in "iuf":
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            warnings.append(f"{row.weight.path}, which {name!r} takes, holds NaN or infinity")
        if role in _VARIANCES and (array < 0).any():
            text = f"{row.weight.path} has negative values, which the variance {name!r} cannot have"
            if row.confidence in _SURE:
                warnings.append(text)
            else:
                hint = "give the right array with --map FILE, or this one if it is right"
                problems.append(Problem("evidence", (name,), text, (row.weight.path,), hint))
        if array.size and not array.any():
            zeros.setdefault(role, []).append(name)
        elif array.size:
            filled.add(role)
    for role, names in zeros.items():
        if role in filled:
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            warnings.append(f"all zeros, unlike other layers' {role}: {shown}")
    return problems, warnings
