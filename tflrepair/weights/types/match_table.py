"""The result of matching: one row for each variable, and what is in the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from tflrepair.errors import RefusedError, UndecidedError
from tflrepair.format.types import numpy_dtype
from tflrepair.weights.types.dtypes import is_float
from tflrepair.weights.types.pieces import PIECE
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.start import Assumption
from tflrepair.weights.types.weight import Array, Target, Weight, size_text
from tflrepair.wording import plural

# origins of a value
WEIGHT = "weight"
INITIAL = "initial"
SET = "set"
OPEN = "unresolved"

# how sure a value from a file is, the weakest last
EXACT = "exact"
NAMED = "named"
CLOSED = "closed"
ORDER = "by order only"
NUMBER = "by number only"
CHECKED = "checked"  # by running
ACCEPTED = "accepted"  # by the user, by name
_UNPROVEN = (ORDER, NUMBER, ACCEPTED)


@dataclass(frozen=True)
class Row:
    """Where one variable's value comes from.

    Attributes:
        origin: ``weight``, ``initial`` (documented start of an optimizer variable), ``set``
            (given by the user) or ``unresolved``.
        weight: the array, if origin is ``weight`` (or a start that copies one).
        fill: the value of every element, if it is not an array.
        reason: why this one, in words.
        confidence: how sure it is: ``exact`` (full names, or nothing else in the file fits),
            ``named`` (names that somebody gave, or classes, rule out all else that fits),
            ``closed`` (everything else that fits has its own place), ``by order only`` (the file's
            order decides, and the file does not tell what the layers do: not proven), ``by number
            only`` (Keras's running numbers decide: not proven), ``checked`` (running decided),
            ``given`` (the user did), ``accepted`` (the user accepts what speaks against it),
            ``documented`` (an optimizer's start), ``config`` (a file's config tells what the
            constructor was given), ``assumed``.
        accepted: names of the doubts that the user accepted (see ``types/acceptable.py``).
        trusted: whether its name or the user decided, so that its values are not doubted.
        names_only: whether its name decided, in a file that tells nothing but names.
        source: where a documented start is documented.
        assumption: what the value rests on that no file says, if there is such a thing.
        like: shared name of the variable that it copies, if it does.
    """

    target: Target
    origin: str
    weight: Weight | None = None
    fill: float | int | None = None
    reason: str = ""
    confidence: str = ""
    source: str = ""
    assumption: Assumption | None = None
    like: str = ""
    trusted: bool = False
    names_only: bool = False
    accepted: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value. Raises RefusedError where neither side fixes it."""
        if self.weight is not None:
            return self.weight.shape
        shape = self.target.shape
        if shape is None or any(size < 0 for size in shape):
            raise RefusedError(
                f"the shape of {self.target.shared_name!r} is not known: {size_text(shape)}"
            )
        return shape

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * numpy_dtype(self.target.dtype).itemsize

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
        return np.full(self.shape, self.fill, dtype=numpy_dtype(self.target.dtype))

    def pieces(self) -> Iterator[Array]:
        """``value`` as flat pieces in row-major order, some megabytes of memory at a time."""
        import numpy as np

        if self.weight is not None:
            for piece in self.weight.pieces():
                yield exact(piece, self.target, self.weight)
            return
        if self.fill is None:
            raise RefusedError(f"{self.target.shared_name!r} has no value")
        dtype, left = numpy_dtype(self.target.dtype), prod(self.shape)
        block = np.full(min(left, PIECE // dtype.itemsize), self.fill, dtype)
        while left:
            part = block[: min(left, block.size)]
            yield part
            left -= part.size

    @property
    def is_zero(self) -> bool:
        """Whether it is known, without reading, that all its bytes are zero."""
        return self.weight is None and self.fill == 0 and math.copysign(1, self.fill) > 0


def exact(array: Array, target: Target, weight: Weight) -> Array:
    """``array`` in the variable's dtype, if every element survives unchanged or may be rounded.

    Only floats are ever rounded, to the nearest value, and never to infinity.

    Raises:
        RefusedError: a value would change that may not.
    """
    import numpy as np

    wanted = numpy_dtype(target.dtype)
    if array.dtype == wanted:
        return np.ascontiguousarray(array).reshape(array.shape)
    with np.errstate(all="ignore"):
        result = array.astype(wanted)
        same = np.array_equal(result.astype(array.dtype), array, equal_nan=is_float(array.dtype))
    floats = is_float(array.dtype) and is_float(wanted)
    fits = floats and np.array_equal(np.isfinite(result), np.isfinite(array))
    if not same and not (target.rounds and fits):
        raise RefusedError(
            f"{weight.path} is {array.dtype.name} and would be rounded to {wanted.name}",
            where=weight.source,
            hint=remedy("rounding" if fits else "narrow"),
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
        options: options of the command line that decide, with an example for each value.
    """

    kind: str
    variables: tuple[str, ...]
    message: str
    candidates: tuple[str, ...] = ()
    hint: str = ""
    choices: tuple[tuple[Row, ...], ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatchTable:
    """Every variable with the origin of its value, in the order of the targets."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    unused: tuple[Weight, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def unproven(self) -> tuple[Row, ...]:
        """The rows that rest on running numbers alone, or on what the user accepted."""
        return tuple(row for row in self.rows if row.confidence in _UNPROVEN)

    @property
    def accepted(self) -> dict[str, list[str]]:
        """What the user accepted -> the variables that rest on it."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for name in row.accepted if row.confidence == ACCEPTED else ():
                found.setdefault(name, []).append(row.target.shared_name)
        return found

    def proven(self) -> MatchTable:
        """The table once the model has answered as expected with it."""
        rows = (
            replace(row, confidence=CHECKED, reason=f"{row.reason}; it answers as expected")
            if row.confidence in _UNPROVEN
            else row
            for row in self.rows
        )
        return replace(self, rows=tuple(rows))

    def require(self, advice: Sequence[str] = ()) -> None:
        """Raise UndecidedError if anything is undecided; its message lists all of it.

        Args:
            advice: lines behind the list.
        """
        if not self.problems:
            return
        lines = [f"{plural(len(self.problems), 'thing')} must be decided first"]
        for problem in self.problems:
            lines.append(f"  {problem.message}")
            lines.extend(f"    - {candidate}" for candidate in problem.candidates)
            if problem.hint:
                lines.append(f"    {problem.hint}")
        raise UndecidedError(
            "\n".join([*lines, *(f"  {line}" for line in advice)]), options=self.options
        )

    @property
    def options(self) -> tuple[str, ...]:
        """Options that would decide all that is open; () if some of it has none."""
        if not all(problem.options for problem in self.problems):
            return ()
        return tuple(dict.fromkeys(o for problem in self.problems for o in problem.options))

    @property
    def assumptions(self) -> dict[Assumption, list[str]]:
        """What values rest on that no file says -> the variables concerned."""
        found: dict[Assumption, list[str]] = {}
        for row in self.rows:
            if row.assumption is not None and row.origin != OPEN:
                found.setdefault(row.assumption, []).append(row.target.shared_name)
        return found

    def to_map(self) -> dict[str, str]:
        """Shared name -> weight path, to be edited and given back as a map.

        Where a variable is undecided, what it can be stands behind a ``?``: leave one of them.
        """
        able: dict[str, dict[str, None]] = {}
        for row in (row for p in self.problems for rows in p.choices for row in rows):
            if row.weight is not None:
                able.setdefault(row.target.shared_name, {})[row.weight.path] = None
        return {
            row.target.shared_name: row.weight.path
            if row.weight
            else " ".join(["?", *able[row.target.shared_name]])
            if row.target.shared_name in able
            else ""
            for row in self.rows
            if row.origin in (WEIGHT, OPEN)
        }
