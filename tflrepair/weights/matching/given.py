"""What the user decided: ``--map`` and ``--set``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from tflrepair.errors import UserError
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.match_table import SET, WEIGHT, Row
from tflrepair.weights.types.weight import Source, Target, Weight, size_text


def by_map(
    targets: Sequence[Target], sources: Sequence[Source], mapping: Mapping[str, str]
) -> dict[str, Row]:
    """Rows for a map of shared name -> weight path; an empty path leaves the name undecided.

    Raises:
        UserError: a name or path that does not exist, or an array that does not fit.
    """
    known = {target.shared_name: target for target in targets}
    rows = {}
    for name, path in mapping.items():
        if not path:
            continue
        if name not in known:
            raise _unknown(f"the map names {name!r}, which is no variable to repair", name, known)
        weight = _find(path, sources)
        target = known[name]
        if not fits(target, weight):
            raise UserError(
                f"the map gives {name!r} ({target.dtype} {size_text(target.shape)}) the weight "
                f"{path!r}, which is {weight.dtype} {size_text(weight.shape)}"
            )
        rows[name] = Row(target, WEIGHT, weight, None, "decided by the map", "given")
    return rows


def by_set(targets: Sequence[Target], sets: Mapping[str, str | float]) -> dict[str, Row]:
    """Rows for values given by hand; ``*`` in a name stands for anything.

    Raises:
        UserError: a name that fits no variable, or a value that is no number of its dtype.
    """
    known = {target.shared_name: target for target in targets}
    rows = {}
    for pattern, text in sets.items():
        names = [pattern] if pattern in known else [n for n in known if fnmatchcase(n, pattern)]
        if not names:
            raise _unknown(
                f"--set names {pattern!r}, which is no variable to repair", pattern, known
            )
        for name in names:
            fill = _number(pattern, text, known[name].dtype)
            rows[name] = Row(known[name], SET, None, fill, "given with --set", "given")
    return rows


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
        raise UserError(f"{path!r} is in several files", hint=f"write one of: {choices}")
    paths = [weight.path for source in sources for weight in source.weights]
    raise _unknown(f"the map names the weight {path!r}, which no source has", path, paths)


def _number(name: str, text: str | float, dtype: str) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"--set {name}={text}: not a number") from None
    if "float" in dtype:
        return value
    if not math.isfinite(value) or value != int(value):
        raise UserError(f"--set {name}={text}: {name!r} holds whole numbers ({dtype})")
    return int(text) if isinstance(text, str) and text.lstrip("+-").isdigit() else int(value)


def _unknown(message: str, name: str, known: Iterable[str]) -> UserError:
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = f"did you mean: {', '.join(near)}" if near else "see --dry-run for the names"
    return UserError(message, hint=hint)
