"""The result of matching: one row for each variable, and what is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from tflrepair.errors import RefusedError
from tflrepair.weights.types.weight import Array, Target, Weight, size_text

# origins of a value
WEIGHT = "weight"
INITIAL = "initial"
SET = "set"
OPEN = "unresolved"

_NARROW = "no value of that type comes near some of its values; give another file"


@dataclass(frozen=True)
class Row:
    """Where one variable's value comes from.

    Attributes:
        origin: ``weight``, ``initial`` (documented start of an optimizer variable), ``set``
            (given by the user) or ``unresolved``.
        weight: the array, if origin is ``weight`` (or a start that copies one).
        fill: the value of every element, if it is not an array.
        reason: why this one, in words.
        confidence: what it rests on: ``exact``, ``given``, ``documented``, ``checked`` (running
            decided), or the last evidence that took a candidate away (see ``reading``).
        source: where a documented start is documented.
    """

    target: Target
    origin: str
    weight: Weight | None = None
    fill: float | int | None = None
    reason: str = ""
    confidence: str = ""
    source: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value. Raises RefusedError where neither side fixes it."""
        if self.weight is not None:
            return self.weight.shape
        shape = self.target.shape
        if shape is None or -1 in shape:
            raise RefusedError(
                f"the shape of {self.target.shared_name!r} is not known: {size_text(shape)}"
            )
        return shape

    @property
    def nbytes(self) -> int:
        import numpy as np

        return prod(self.shape) * np.dtype(self.target.dtype).itemsize

    def value(self) -> Array:
        """The value, of exactly the variable's dtype and shape, C-contiguous; read now.

        Raises:
            RefusedError: the row is unresolved, or the array does not convert exactly.
            BadFileError: the source is damaged.
        """
        import numpy as np

        if self.weight is not None:
            return exact(self.weight.read(), self.target, self.weight)
        if self.fill is None:
            raise RefusedError(f"{self.target.shared_name!r} has no value")
        return np.full(self.shape, self.fill, dtype=np.dtype(self.target.dtype))


def exact(array: Array, target: Target, weight: Weight) -> Array:
    """``array`` in the variable's dtype, if every element survives unchanged or may be rounded.

    Only floats are ever rounded, to the nearest value, and never to infinity.

    Raises:
        RefusedError: a value would change that may not.
    """
    import numpy as np

    wanted = np.dtype(target.dtype)
    if array.dtype == wanted:
        return np.ascontiguousarray(array).reshape(array.shape)
    with np.errstate(all="ignore"):
        result = array.astype(wanted)
        same = np.array_equal(result.astype(array.dtype), array, equal_nan=array.dtype.kind == "f")
    floats = array.dtype.kind == wanted.kind == "f"
    fits = floats and np.array_equal(np.isfinite(result), np.isfinite(array))
    if not same and not (target.rounds and fits):
        raise RefusedError(
            f"{weight.path} is {array.dtype.name} and would be rounded to {wanted.name}",
            where=weight.source,
            hint="--allow-rounding takes the nearest values" if fits else _NARROW,
        )
    return np.ascontiguousarray(result).reshape(array.shape)


@dataclass(frozen=True)
class Problem:
    """Something that must be decided before the model can be repaired.

    Attributes:
        kind: ``missing`` | ``ambiguous`` | ``conflict`` | ``rounding`` | ``evidence``.
        variables: shared names concerned.
        candidates: for each reading, what it would take.
        hint: the option that decides.
        choices: the rows of each reading, where running can decide between them.
    """

    kind: str
    variables: tuple[str, ...]
    message: str
    candidates: tuple[str, ...] = ()
    hint: str = ""
    choices: tuple[tuple[Row, ...], ...] = ()


@dataclass(frozen=True)
class MatchTable:
    """Every variable with the origin of its value, in the order of the targets."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    unused: tuple[Weight, ...] = ()
    warnings: tuple[str, ...] = ()

    def require(self) -> None:
        """Raise RefusedError if anything is undecided; its message lists all of it."""
        if not self.problems:
            return
        count = len(self.problems)
        lines = [f"{count} thing{'s' * (count > 1)} must be decided first"]
        for problem in self.problems:
            lines.append(f"  {problem.message}")
            lines.extend(f"    - {candidate}" for candidate in problem.candidates)
            if problem.hint:
                lines.append(f"    {problem.hint}")
        raise RefusedError("\n".join(lines))

    def to_map(self) -> dict[str, str]:
        """Shared name -> weight path, to be edited and given back as a map."""
        return {
            row.target.shared_name: row.weight.path if row.weight else ""
            for row in self.rows
            if row.origin in (WEIGHT, OPEN)
        }
