"""What a match rests on, and whether that is enough.

Each matched layer is compared with its look-alikes: the other layers of the file that fit by role
and shape. Something other than Keras's running numbers must tell them apart, because a program
that makes its layers in another order has other numbers:

    named    a name that somebody gave, or a model or layer around it, or the class
    graph    the file's architecture leaves no other (see ``topology``)
    closed   the other one is matched, too, and the file lists the two in the order in which the
             data flow, or the training function, has them
    order    so it is, but a program that has the two exchanged leaves such a file, too, as it does
             not tell what a layer does (see ``exchange``): not proven

Layers that are attributes of a class of somebody's own are listed nowhere. For them alone the
numbers may do (``by number only``), where the model makes them in the order in which it calls them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tflrepair.weights.evidence.attributes import told_by_attributes
from tflrepair.weights.evidence.incomplete import elsewhere, incomplete
from tflrepair.weights.evidence.merges import other_merges
from tflrepair.weights.matching.joins import Exchanges, Joins
from tflrepair.weights.matching.order import ROOTS, before, called_roots, is_of_another, place
from tflrepair.weights.matching.question import Candidate, Question
from tflrepair.weights.types.acceptable import (
    BY_NUMBER,
    MISSING_LAYER,
    UNKNOWN_CONSTANT,
    UNUSED_LAYER,
)
from tflrepair.weights.types.layer_names import canonical, split_number
from tflrepair.weights.types.layers import FileLayer, Level, TargetLayer
from tflrepair.weights.types.match_table import ACCEPTED, CLOSED, EXACT, NAMED, NUMBER, ORDER
from tflrepair.weights.types.weight import Source

_WEAKEST = (EXACT, NAMED, CLOSED, ORDER, NUMBER)
_AGAINST = "the file lists them in another order than the model {}"
_NOTHING = "only its automatic number tells it from {}, and such numbers change with the program"
_UNUSED = "{} fits as well, and no other layer of the model uses it"
_UNNAMED = "the file has no names, and the model may call its layers in an order of its own"
_STRANGE = "the model holds a constant of that size, and no file does: another such layer"


@dataclass(frozen=True)
class Facts:
    """What else is known.

    Attributes:
        frozen: ``id`` of each layer of the file that the model holds as a constant.
        source: the file.
        strange: element counts of the model's constant kernels that no source holds.
        accepted: names of doubts that the user accepts.
    """

    frozen: frozenset[int] = frozenset()
    source: Source | None = None
    strange: frozenset[int] = frozenset()
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Doubt:
    """What speaks against a match; empty if nothing does.

    Attributes:
        name: what ``--accept`` calls it; empty where nobody can accept it.
    """

    name: str
    text: str


NO_DOUBT = Doubt("", "")


@dataclass(frozen=True)
class _View:
    """``shifted``: classes whose running numbers agree with the graph, too."""

    shifted: Collection[str]
    joins: Joins
    exchanges: Exchanges


def examine(questions: Sequence[Question], layers: Sequence[FileLayer], facts: Facts) -> None:
    """Say how sure each match is (``Question.sure``), or what it lacks (``conflict``)."""
    owners = {id(q.candidates[0].layer): q for q in questions if len(q.candidates) == 1}
    doubtful, moved = incomplete(layers, facts.source), elsewhere(layers)
    merged = _merged(questions, layers, facts.source)
    exchanges = Exchanges(questions, _is_fixed)
    view = _View(_one_shift(questions), Joins(questions, facts.source), exchanges)
    for question in questions:
        if len(question.candidates) != 1 or question.conflict:
            continue
        mine = question.candidates[0].layer
        is_named = _is_named(question.target, mine)
        question.sure = NAMED if is_named else EXACT
        for other in question.fitting:
            if other.layer is mine or id(other.layer) in facts.frozen:
                continue
            owner = owners.get(id(other.layer))
            sure, conflict = _compared(question, mine, other, owner, view)
            question.sure = max(question.sure, sure, key=_WEAKEST.index)
            question.exchanged += [other] if sure == ORDER else []
            _object(question, conflict)
        if not is_named:
            lacking = moved.get(id(mine), "") if question.sure == NUMBER else ""
            _object(question, Doubt(MISSING_LAYER, doubtful.get(id(mine), "") or lacking))
            _object(question, Doubt("", "" if question.unit else merged))
            _object(question, Doubt(UNKNOWN_CONSTANT, _strange(question, facts)))
    for question in questions:
        question.weigh(facts.accepted)
    _spread(questions, owners)


def _object(question: Question, doubt: Doubt) -> None:
    """Note the doubt; the first of each name, and of those that nobody can accept, is said."""
    if doubt.text and doubt.name:
        question.doubts.setdefault(doubt.name, doubt.text)
    elif doubt.text:
        question.conflict = question.conflict or doubt.text


def _spread(questions: Sequence[Question], owners: Mapping[int, Question]) -> None:
    """What is wrong with one of two look-alikes, or was accepted, is with the other one."""
    for question in questions:
        for other in question.fitting if question.conflict or question.accepted else ():
            owner = owners.get(id(other.layer))
            if owner is None or owner.conflict or owner.sure not in (CLOSED, ORDER, NUMBER):
                continue
            if not question.candidates or owner.is_proved(question.candidates[0].layer):
                continue
            owner.conflict, owner.refused = question.conflict, question.refused
            if question.accepted:
                owner.sure, owner.accepted = ACCEPTED, question.accepted


def _one_shift(questions: Sequence[Question]) -> set[str]:
    """Classes of which two or more layers that the graph proves have numbers of one shift."""
    shifts: dict[str, list[int]] = {}
    for question in questions:
        level = question.candidates[0].layer.levels[-1:] if question.unit else ()
        for shift in (level[0].shift(question.target.last) if level else None,):
            if shift is not None and len(question.candidates) == 1:
                shifts.setdefault(split_number(question.target.last)[0], []).append(shift)
    return {base for base, found in shifts.items() if len(found) > 1 and len(set(found)) == 1}


def _strange(question: Question, facts: Facts) -> str:
    """Whether the model holds a look-alike as a constant that no file knows."""
    sizes = {prod(t.shape) for _, t in question.target.targets if t.shape and len(t.shape) > 1}
    return _STRANGE if sizes & facts.strange else ""


def _merged(
    questions: Sequence[Question], layers: Sequence[FileLayer], source: Source | None
) -> str:
    flow = next((t.flow for q in questions for _, t in q.target.targets), None)
    if source is None or flow is None or not all(q.candidates for q in questions):
        return ""
    taken = {id(c.layer) for q in questions for c in q.candidates}
    is_whole = all(id(layer) in taken for layer in layers)
    return other_merges(source.weightless, flow, is_whole)


def _compared(
    a: Question, mine: FileLayer, other: Candidate, b: Question | None, view: _View
) -> tuple[str, Doubt]:
    """(how sure it is that a layer of the model is not ``other``, why it is not)."""
    base = split_number(a.target.last)[0]
    removed = b is None and (id(other.layer) in a.beside or base not in view.shifted)
    if a.is_proved(other.layer) and not removed:
        return CLOSED, NO_DOUBT
    if _named_apart(a.target, mine, other.layer):
        return NAMED, NO_DOUBT
    label = repr(other.layer.label)
    if b is None:
        return NUMBER, Doubt(UNUSED_LAYER, _UNUSED.format(label))
    if not any(c.layer is mine for c in b.fitting) or _nested_apart(a, b, mine, other.layer):
        return CLOSED, NO_DOUBT
    return _in_order(a, b, mine, other.layer, view)


def _in_order(
    a: Question, b: Question, mine: FileLayer, other: FileLayer, view: _View
) -> tuple[str, Doubt]:
    listed, is_sorted = place(mine, other)
    flow = before(b, a, False) - before(a, b, False)
    updated = _sign(a.target.updated, b.target.updated)
    hinted = _sign(a.target.update_hint, b.target.update_hint)
    label = repr(other.label)
    if listed:
        if is_sorted and flow and flow != listed:
            return CLOSED, Doubt("", _AGAINST.format("calls them"))
        if hinted and hinted != listed:
            return CLOSED, Doubt("", _AGAINST.format("updates them"))
        joined = view.joins.order(a, b, mine, other, updated == listed) if is_sorted else 0
        if joined and joined != listed and not flow:
            return CLOSED, Doubt("", _AGAINST.format("joins them"))
        if updated == listed and not (is_sorted and is_of_another(a.target, mine)):
            traceless = not flow and view.exchanges.leaves_no_trace(a, b)
            return (ORDER if traceless else CLOSED), NO_DOUBT
        if is_sorted and flow == listed:
            return CLOSED, Doubt(BY_NUMBER, _own_call(a.target, mine))
        if is_sorted and not flow and view.joins.order(a, b, mine, other) == listed:
            return (ORDER if view.exchanges.leaves_no_trace(a, b) else CLOSED), NO_DOUBT
        if is_sorted or not mine.keys:
            return NUMBER, Doubt(BY_NUMBER, _NOTHING.format(label))
    if (mine.keys or mine.weights[0].place is not None) and told_by_attributes(
        mine, other, flow, hinted
    ):
        return NUMBER, NO_DOUBT
    return NUMBER, Doubt(BY_NUMBER, _NOTHING.format(label))


def _own_call(target: TargetLayer, mine: FileLayer) -> str:
    """A subclass of Functional may call its layers as it likes; its own name shows in the scope."""
    return "" if mine.levels[-1].name or called_roots(target) & ROOTS else _UNNAMED


def _sign(mine: int | None, other: int | None) -> int:
    return 0 if mine is None or other is None else (mine > other) - (mine < other)


def _is_fixed(question: Question) -> bool:
    """Whether a name, or the file's architecture, tells which layer of the file it is."""
    found = [c.layer for c in question.candidates]
    return len(found) == 1 and (bool(question.unit) or _is_named(question.target, found[0]))


def _is_named(target: TargetLayer, layer: FileLayer) -> bool:
    level = layer.levels[-1] if layer.levels else Level()
    return level.given and canonical(level.name) == canonical(target.last)


def _named_apart(target: TargetLayer, mine: FileLayer, other: FileLayer) -> bool:
    """Whether names or classes on the way to the other layer are not the model's, and mine are."""
    if not mine.levels or not other.levels or not target.names:
        return False
    theirs_last = other.levels[-1]
    if mine.levels[-1].name == target.last != theirs_last.name and (
        theirs_last.given or theirs_last.name != theirs_last.name.lower()
    ):
        return True  # names that differ by case; Keras itself makes none with capitals
    if mine.levels[-1].fits(target.last) and not other.levels[-1].fits(target.last):
        return other.levels[-1].is_known
    around, root = target.names[:-1], 1 if mine.keys else 0
    ours, theirs = mine.levels[root:-1], other.levels[root:-1]
    pairs = list(zip(reversed(theirs), reversed(around), strict=False))
    fit = all(x.fits(name) for x, name in zip(reversed(ours), reversed(around), strict=False))
    if fit and any(level.is_known and not level.fits(name) for level, name in pairs):
        return True
    for level in ours:
        kind = _given_or_class(level)
        if kind and any(_is(kind, n) for n in around) and not any(_same(kind, o) for o in theirs):
            return True
    for level in theirs:
        kind = _given_or_class(level)
        known = kind and not any(_is(kind, name) for name in around)
        if known and not any(_same(kind, mine_) for mine_ in ours):
            return len(around) > len(ours)
    return False


def _nested_apart(a: Question, b: Question, mine: FileLayer, other: FileLayer) -> bool:
    """Whether the two lie in models in models, one deeper than the other, as in the file."""
    ours, theirs = a.target.names, b.target.names
    return (
        len(ours) == len(mine.levels) != len(other.levels) == len(theirs) and ours[0] == theirs[0]
    )


def _given_or_class(level: Level) -> str:
    """The name of a step that tells it: one that somebody gave, or the class of a layer."""
    if level.given:
        return canonical(level.name)
    return level.class_name if level.class_name not in ROOTS else ""


def _is(kind: str, name: str) -> bool:
    return kind in (canonical(name), split_number(canonical(name))[0])


def _same(kind: str, level: Level) -> bool:
    return kind in (canonical(level.name), level.class_name)
