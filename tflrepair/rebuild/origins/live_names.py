"""Which live tf.Variable stands behind which variable of the model.

Keras numbers layers in the order they are built, so a module built in another process may call
``dense_6`` what the model calls ``dense_1``. All layers of one kind are off by the same number
then, and the names of optimizer slots follow those of their weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Variable
from tflrepair.errors import RefusedError
from tflrepair.rebuild.run.starting_values import Values

_HINT = "leave the weights out to keep the values that the module gives its variables"


def pair_by_name(
    variables: Sequence[Variable], live: Iterable[Any], renumbered: bool
) -> dict[ResourceId, Any]:
    """``live`` tf.Variables by resource.

    Args:
        renumbered: the names come from another process, so auto-numbers may be shifted; else
            they are the model's own.

    Raises:
        RefusedError: the names fit in no way, or in more than one.
    """
    there = _by_name(live)
    names = [variable.name for variable in variables]
    exact = not renumbered or set(names) <= there.keys()
    shifts = {} if exact else _shifts(names, list(there))
    renamed = {name: name for name in names} if exact else _shifted(names, list(there), shifts)
    pairs = {v.key: there.get(renamed[v.name]) for v in variables}
    lost = [v.name for v in variables if pairs[v.key] is None]
    if lost or len(set(renamed.values())) != len(renamed):
        raise RefusedError(
            f"the module has no variable for {', '.join(lost[:4]) or 'each of the model'}; "
            f"it has: {', '.join(sorted(there)[:8])}",
            hint=_HINT,
        )
    if renumbered:
        _refuse_other_shifts(variables, there, shifts)
    return pairs


def _refuse_other_shifts(
    variables: Sequence[Variable], there: Mapping[str, Any], shifts: Mapping[str, int]
) -> None:
    """A module with more variables than the model may fit it with other numbers as well.

    Raises:
        RefusedError: it does, so that nothing tells which layer is which.
    """
    for kind in {base for v in variables for base, _ in map(_split, v.name.split("/"))}:
        mine = [v for v in variables if kind in (b for b, _ in map(_split, v.name.split("/")))]
        for shift in range(-len(there), len(there) + 1):
            other = {**shifts, kind: shift}
            if shift != shifts.get(kind, 0) and all(_fits(v, there, other) for v in mine):
                raise RefusedError(
                    f"{mine[0].name} may be {_move(mine[0].name, shifts)} or "
                    f"{_move(mine[0].name, other)} of the module",
                    hint=_HINT,
                )


def _fits(variable: Variable, there: Mapping[str, Any], shifts: Mapping[str, int]) -> bool:
    """Whether the module has a variable of this shifted name, and of the same shape."""
    if any(n + shifts.get(base, 0) < 0 for base, n in map(_split, variable.name.split("/"))):
        return False
    found = there.get(_move(variable.name, shifts))
    return found is not None and (
        variable.shape is None or found.shape.is_compatible_with(_open(variable.shape))
    )


def _open(shape: tuple[int, ...]) -> list[int | None]:
    return [None if size < 0 else size for size in shape]


def set_values(pairs: dict[ResourceId, Any], values: Values) -> None:
    """Assign ``values`` to the paired variables.

    Raises:
        RefusedError: a value has no variable, or another dtype or shape; nothing is assigned then.
    """
    for key, value in values.items():
        variable = pairs.get(key)
        if variable is None:
            raise RefusedError(f"there is no variable {key.shared_name}", hint=_HINT)
        if variable.dtype.as_numpy_dtype != value.dtype or variable.shape != value.shape:
            raise RefusedError(
                f"variable {key.shared_name} is {variable.dtype.name}{list(variable.shape)}, "
                f"but its value is {value.dtype.name}{list(value.shape)}",
                hint=_HINT,
            )
    for key, value in values.items():
        pairs[key].assign(value)


def _by_name(live: Iterable[Any]) -> dict[str, Any]:
    there: dict[str, Any] = {}
    for variable in live:
        name = variable.name.removesuffix(":0")
        if name in there:
            raise RefusedError(f"two variables of the module are called {name}", hint=_HINT)
        there[name] = variable
    return there


def _shifted(
    names: Sequence[str], there: Sequence[str], shifts: Mapping[str, int]
) -> dict[str, str]:
    """Each name with its auto-numbers shifted like those of all its kind."""
    moved = {name: _move(name, shifts) for name in names}
    layers = sorted((n for n in names if moved[n] in there), key=len, reverse=True)
    for name in names:
        if moved[name] in there:
            continue
        # adam/model_dense_1_kernel_momentum follows model/dense_1/kernel
        owner = next((n for n in layers if _flat(n) in name), None)
        if owner is not None:
            moved[name] = _move(name.replace(_flat(owner), _flat(moved[owner]), 1), shifts)
    return moved


def _shifts(names: Sequence[str], there: Sequence[str]) -> dict[str, int]:
    """By how much the numbers of each kind of layer differ, where all of a kind agree."""
    ours, theirs = _grouped(names), _grouped(there)
    found: dict[str, set[int]] = {}
    for kind in ours.keys() & theirs.keys():
        if len(ours[kind]) == len(theirs[kind]):
            for mine, other in zip(ours[kind], theirs[kind], strict=True):
                for base, a, b in zip(kind, mine, other, strict=True):
                    found.setdefault(base, set()).add(b - a)
    return {base: shifts.pop() for base, shifts in found.items() if len(shifts) == 1}


def _grouped(names: Sequence[str]) -> dict[tuple[str, ...], list[tuple[int, ...]]]:
    """Names without their auto-numbers, and the numbers that each occurs with, in order."""
    groups: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for name in names:
        parts = [_split(part) for part in name.split("/")]
        groups.setdefault(tuple(b for b, _ in parts), []).append(tuple(n for _, n in parts))
    return {kind: sorted(numbers) for kind, numbers in groups.items()}


def _split(part: str) -> tuple[str, int]:
    """``dense_2`` -> (``dense``, 2); the first of a kind has no number."""
    found = re.fullmatch(r"(.+)_([1-9]\d*)", part)
    return (found[1], int(found[2])) if found else (part, 0)


def _move(name: str, shifts: Mapping[str, int]) -> str:
    parts = []
    for base, number in map(_split, name.split("/")):
        number += shifts.get(base, 0)
        parts.append(f"{base}_{number}" if number > 0 else base)
    return "/".join(parts)


def _flat(name: str) -> str:
    return name.replace("/", "_")
