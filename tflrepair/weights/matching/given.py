"""What the user decided: ``--map`` and ``--set``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from tflrepair.errors import UserError
from tflrepair.weights.starts import copies
from tflrepair.weights.starts.number import number
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.match_table import SET, WEIGHT, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Source, Target, Weight, size_text
from tflrepair.wording import plural

# What --set fills is a learning rate, a counter, a bias. What demands more is a damaged shape.
LARGEST_FILL = 2**31 - 1


def by_map(
    targets: Sequence[Target], sources: Sequence[Source], mapping: Mapping[str, str]
) -> dict[str, Row]:
    """Rows for a map of shared name -> weight path; an empty path leaves the name undecided,
    and so does one that begins with ``?``, as ``MatchTable.to_map`` writes it.

    Raises:
        UserError: a name or path that does not exist, or an array that does not fit.
    """
    known = {target.shared_name: target for target in targets}
    rows = {}
    for name, path in mapping.items():
        if not path or path.startswith("?"):
            continue
        if name not in known:
            raise _unknown(f"the map names {name!r}, not a variable to repair", name, known)
        weight = _find(path, sources)
        target = known[name]
        if not fits(target, weight):
            raise UserError(
                f"the map gives {name!r} ({target.dtype} {size_text(target.shape)}) the weight "
                f"{path!r}, which is {weight.dtype} {size_text(weight.shape)}"
            )
        rows[name] = Row(target, WEIGHT, weight, None, "decided by the map", "given")
    return rows


def as_copies(
    targets: Sequence[Target], sets: Mapping[str, str | float], starts: Mapping[str, Start]
) -> dict[str, Start]:
    """Starts for ``--set NAME=copy``: each as a copy of the variable that it is named after.

    Raises:
        UserError: a name that fits no variable, or one that is named after none.
    """
    owners = copies.owners(targets, starts)
    found = {}
    for pattern, text in sets.items():
        if text != copies.COPY:
            continue
        for name in _named(pattern, {target.shared_name: target for target in targets}):
            if name not in owners:
                raise UserError(
                    f"--set {pattern}={text}: {name!r} is named after no other variable",
                    hint=remedy("array-of-the-other"),
                )
            reason = f"a copy of {owners[name]}, as given with --set"
            found[name] = Start(reason, like=owners[name], in_optimizer=False, given=True)
    return found


def by_set(targets: Sequence[Target], sets: Mapping[str, str | float]) -> dict[str, Row]:
    """Rows for values given by hand; ``*`` in a name stands for anything.

    A value is one number for all elements, or one for each, with commas between them.

    Raises:
        UserError: a name that fits no variable, or a value that is no number of its dtype.
    """
    known = {target.shared_name: target for target in targets}
    rows = {}
    for pattern, text in sets.items():
        for name in _named(pattern, known) if text != copies.COPY else ():
            fill, weight = None, None
            if isinstance(text, str) and "," in text:
                weight = _listed(pattern, text, known[name])
            else:
                fill = number(f"--set {pattern}", text, known[name].dtype)
            row = Row(known[name], SET, weight, fill, "given with --set", "given")
            if row.nbytes > LARGEST_FILL:
                raise UserError(
                    f"--set {pattern} would write {row.nbytes} bytes for {name!r}; one number "
                    f"fills at most {LARGEST_FILL}",
                    hint=remedy("values-in-a-file"),
                )
            rows[name] = row
    return rows


def _named(pattern: str, known: Mapping[str, Target]) -> list[str]:
    names = [pattern] if pattern in known else [n for n in known if fnmatchcase(n, pattern)]
    if not names:
        raise _unknown(f"--set names {pattern!r}, not a variable to repair", pattern, known)
    return names


def _listed(name: str, text: str, target: Target) -> Weight:
    """An array of numbers with commas between them.

    Raises:
        UserError: it has another number of elements than the variable.
    """
    import numpy as np

    values = [number(f"--set {name}", part.strip(), target.dtype) for part in text.split(",")]
    shape = target.shape
    if shape is None or -1 in shape or len(values) != math.prod(shape):
        raise UserError(
            f"--set {name}={text}: {plural(len(values), 'number')} for {target.shared_name!r}, "
            f"which is {size_text(shape)}"
        )
    array = np.array(values, target.dtype).reshape(shape)
    return Weight("--set", target.shared_name, shape, target.dtype, reader=lambda: array)


def _find(path: str, sources: Sequence[Source]) -> Weight:
    label, separator, inner = path.rpartition("::")
    found = [
        weight
        for source in sources
        for weight in source.weights
        if weight.path == path or (separator and (weight.source, weight.path) == (label, inner))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(f"{w.source}::{w.path}" for w in found)
        raise UserError(
            f"{path!r} is in several files", hint=remedy("one-of-the-files", paths=choices)
        )
    paths = [weight.path for source in sources for weight in source.weights]
    raise _unknown(f"the map names the weight {path!r}, which none of the sources has", path, paths)


def _unknown(message: str, name: str, known: Iterable[str]) -> UserError:
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = remedy("near", names=", ".join(near)) if near else remedy("names-of-a-dry-run")
    return UserError(message, hint=hint)
