"""Keras's running numbers: one shift for each class, as one program makes on both sides."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.weights.matching.question import Candidate, Question, keep
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer, Level, TargetLayer

Shifts = dict[tuple[str, str], set[int]]


def by_number(questions: Sequence[Question]) -> bool:
    """One shift of the numbers for each class, the same for all layers of one outermost model."""
    any_change, changed = False, True
    while changed:
        shifts = _common_shifts(questions)
        changed = False
        for question in questions:
            agreeing = [c for c in question.candidates if _agrees(question, c, shifts)]
            changed |= keep(question, agreeing, "number")
        any_change |= changed
    return any_change


def _common_shifts(questions: Sequence[Question]) -> Shifts:
    """The shifts that every layer allows by some candidate: over all layers, and where these do
    not agree, over those of one outermost model. Empty where these do not agree either."""
    everywhere: dict[str, set[int]] = {}
    shifts: Shifts = {}
    for question in questions:
        for (root, base), found in _shifts(question).items():
            everywhere[base] = everywhere[base] & found if base in everywhere else found
            key = root, base
            shifts[key] = shifts[key] & found if key in shifts else found
    return {(root, base): everywhere[base] or found for (root, base), found in shifts.items()}


def _agrees(question: Question, candidate: Candidate, shifts: Shifts) -> bool:
    """Whether the numbers in the names differ by a possible shift. None possible: no evidence."""
    aligned = _aligned(question.target, candidate.layer)
    return all(
        len(found) == 1 and (not shifts.get(base) or found <= shifts[base])
        for base, found in aligned.items()
    )


def no_shift(questions: Sequence[Question]) -> None:
    """Layers whose numbers contradict each other: the file may lack one and have another."""
    shifts = _common_shifts(questions)
    for question in questions:
        if question.conflict or question.reason == "name" or not question.candidates:
            continue
        if question.unit:
            continue
        own = split_number(question.target.last)[0]
        torn = any(base == own and not shifts[root, base] for root, base in _shifts(question))
        if torn or not any(_agrees(question, c, {}) for c in question.candidates):
            question.conflict = f"the numbers of the layers {own!r} are not shifted alike"


def _shifts(question: Question) -> Shifts:
    """For each class in the layer's name: the shifts its candidates allow, if all tell one."""
    rows = [_aligned(question.target, c.layer) for c in question.candidates]
    bases = set.intersection(*(set(row) for row in rows)) if rows else set()
    return {base: set().union(*(row[base] for row in rows)) for base in bases}


def _aligned(target: TargetLayer, layer: FileLayer) -> Shifts:
    """Shifts of the numbers by outermost model and class, as far as both names agree in their
    classes from the end."""
    root = target.names[0] if len(target.names) > 1 else ""
    ways = [_align(names, layer.levels) for names in (target.names, target.short)]
    return {(root, base): found for base, found in max(ways, key=len).items()}


def _align(names: Sequence[str], levels: Sequence[Level]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, level in zip(reversed(names), reversed(levels), strict=False):
        if not level.name or not level.fits(name):
            break
        shift = level.shift(name)
        if shift is not None:
            found.setdefault(split_number(name)[0], set()).add(shift)
    return found
