"""Values by exact name, where the names in a source are the model's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tflrepair.weights.starts import optimizer_state
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layers import target_layers
from tflrepair.weights.types.match_table import EXACT, WEIGHT, Problem, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.weight import Source, Target, Weight


def by_exact_name(
    targets: Sequence[Target],
    source: Source,
    rows: dict[str, Row],
    problems: list[Problem],
    called: Mapping[str, str] = {},
) -> None:
    """Rows for all variables whose name (or what ``called`` says for it) is an array's."""
    whole: dict[str, set[Weight]] = {}
    inner: dict[str, set[Weight]] = {}  # without the saved model's own name, say
    for weight in source.weights:
        whole.setdefault(weight.path.removesuffix(":0"), set()).add(weight)
        for own in weight.names:
            inner.setdefault(own.removesuffix(":0"), set()).add(weight)
    for target in targets:
        name = target.shared_name
        found = set[Weight]()
        for alias in (
            *(target.saved_as if source.saved else ()),
            called.get(name, name),
            target.name,
        ):
            found = found or whole.get(alias) or inner.get(alias, set())
        if len(found) != 1:
            continue
        (weight,) = found
        if not fits(target, weight):
            continue
        reason = f"has the same name in the {source.kind}"
        alone = not (source.exact or source.saved)
        row = Row(target, WEIGHT, weight, None, reason, EXACT, trusted=not called, names_only=alone)
        known = rows.setdefault(name, row)
        if known.confidence == EXACT and known.weight not in (None, weight):
            both = [{name: w} for w in (known.weight, weight) if w is not None]
            if not same_values(both):
                message = (
                    f"{name!r} has different values in {known.weight.source} and {source.label}"
                )
                candidates = tuple(f"{w.source}::{w.path}" for r in both for w in r.values())
                problems.append(Problem("conflict", (name,), message, candidates, remedy("map")))


def by_all_names(
    targets: Sequence[Target],
    sources: Sequence[Source],
    rows: dict[str, Row],
    problems: list[Problem],
) -> None:
    """Take names as they are where all variables have theirs, of the right shape, in the sources.

    A program that dumps its variables by name writes such a file. Where some are missing, the
    others may have come by their names in another program.
    """
    needed = [target for target in targets if not target.follows]  # a copy may start by itself
    own = {target.shared_name: target.shared_name for target in targets}
    for called in (own, _paths(targets, 0), _paths(targets, 1)):
        found, conflicts = dict(rows), list[Problem]()
        for source in sources:
            if source.named:
                by_exact_name(targets, source, found, conflicts, called)
        if called is not own and _is_more(targets, sources, found):
            continue  # such names have Keras's numbers, which another layer alike would have moved
        if needed and all(target.shared_name in found for target in needed):
            rows |= found
            problems += conflicts
            return


def _is_more(
    targets: Sequence[Target], sources: Sequence[Source], found: Mapping[str, Row]
) -> bool:
    """Whether the files have an array like those that were found, which nothing takes."""
    rows = [found[t.shared_name].weight for t in targets if t.shared_name in found]
    taken = {(w.source, w.path): (_role(w), w.shape) for w in rows if w is not None}
    return any(
        (w.source, w.path) not in taken and (_role(w), w.shape) in taken.values()
        for source in sources
        if source.named
        for w in without_slots(source).weights
    )


def _role(weight: Weight) -> str:
    return weight.path.removesuffix(":0").rpartition("/")[2]


def _paths(targets: Sequence[Target], outer: int) -> dict[str, str]:
    """Shared name -> what Keras calls the variable's ``path``, where the two are not the same.

    A subclassed model that is built by calling it makes variables ``net/kernel``, ``net/kernel_1``.
    The path of a layer in a Functional model begins without the model's own name (``outer`` = 1).
    """
    rows = [(layer.names[outer:], layer.targets) for layer in target_layers(targets)]
    found = {t.shared_name: "/".join((*names, role)) for names, ts in rows for role, t in ts}
    return found if len(set(found.values())) == len(found) else {}


def without_slots(source: Source) -> Source:
    """The source without arrays that have the name of an optimizer's variable for another one."""
    if not source.named:
        return source
    named = {
        w.path: Target("", w.path.removesuffix(":0"), w.dtype, w.shape) for w in source.weights
    }
    slots = optimizer_state.starts(list(named.values()))
    kept = (w for w in source.weights if named[w.path].shared_name not in slots)
    return replace(source, weights=tuple(kept))


def same_values(readings: Sequence[Mapping[str, Weight]]) -> bool:
    """Whether all readings give every variable the same bytes."""
    for name, weight in readings[0].items():
        others = {(r[name].source, r[name].path): r[name] for r in readings[1:]}
        others.pop((weight.source, weight.path), None)
        if others:
            first = _digest(weight)
            if any(_digest(other) != first for other in others.values()):
                return False
    return True


def _digest(weight: Weight) -> bytes:
    """Of the type and all bytes."""
    found = hashlib.sha256(weight.dtype.encode())
    for piece in weight.pieces():
        found.update(piece.tobytes())
    return found.digest()
