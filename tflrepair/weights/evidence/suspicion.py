"""Evidence against a match, from the values themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tflrepair.errors import RefusedError
from tflrepair.weights.types.layer_names import split_number, split_path
from tflrepair.weights.types.match_table import WEIGHT, Problem, Row, exact
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.weight import Array
from tflrepair.wording import grouped

_VARIANCES = ("moving_variance", "variance")
_SURE = ("given",)


def suspicious(rows: Iterable[Row]) -> tuple[list[Problem], list[str]]:
    """(problems, warnings) from reading each matched array once, one at a time.

    A negative variance is a problem, because the array must be something else, unless the match
    rests on exact names or a map. NaN, infinity, and arrays that are all zeros while the same role
    of other layers is not, are warnings. Values that would change in the variable's dtype are a
    problem, unless they may be rounded.
    """
    import numpy as np

    problems: list[Problem] = []
    warnings: list[str] = []
    lossy: dict[str, RefusedError] = {}
    zeros: dict[str, list[str]] = {}
    filled: set[str] = set()
    for row in rows:
        if row.origin != WEIGHT or row.weight is None:
            continue
        name = row.target.shared_name
        role = split_number(split_path(name)[1])[0]
        infinite = negative = nonzero = number = False
        for array in row.weight.pieces():
            if name not in lossy and (error := _would_round(row, array)) is not None:
                lossy[name] = error
            if array.dtype.kind not in "iuf":
                continue
            number = True
            infinite |= array.dtype.kind == "f" and not np.isfinite(array).all()
            negative |= role in _VARIANCES and bool((array < 0).any())
            nonzero |= bool(np.count_nonzero(array))  # unlike any(), takes NaN without a warning
        if infinite:
            warnings.append(f"{row.weight.path}, which {name!r} takes, holds NaN or infinity")
        if negative:
            problem = _negative(name, row.weight.path)
            if row.trusted or row.confidence in _SURE:
                warnings.append(problem.message)
            else:
                problems.append(problem)
        if number and not nonzero:
            zeros.setdefault(role, []).append(name)
        elif number:
            filled.add(role)
    problems += _rounding(lossy)
    for role, names in zeros.items():
        if role in filled:
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            warnings.append(f"all zeros, unlike other layers' {role}: {shown}")
    return problems, warnings


def _negative(name: str, path: str) -> Problem:
    text = f"{path} has negative values, which the variance {name!r} cannot have"
    return Problem("evidence", (name,), text, (path,), remedy("variance"))


def _would_round(row: Row, array: Array) -> RefusedError | None:
    """What is wrong if a value of the array would change in the variable's dtype, and may not."""
    if row.weight is None or array.dtype.name == row.target.dtype:
        return None
    try:
        exact(array, row.target, row.weight)
    except RefusedError as error:
        return error
    return None


def _rounding(lossy: Mapping[str, RefusedError]) -> Iterator[Problem]:
    """One problem for each remedy; all arrays of a file are often of one type."""
    for hint in dict.fromkeys(error.hint or "" for error in lossy.values()):
        names = tuple(name for name, error in lossy.items() if (error.hint or "") == hint)
        more = f", as would {grouped(len(names) - 1)} more" if len(names) > 1 else ""
        text = f"{lossy[names[0]].message} for {names[0]!r}{more}"
        yield Problem("rounding", names, text, (), hint)
