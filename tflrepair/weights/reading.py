"""Which layer of a source can be which layer of the model.

Every layer of the model begins with all layers of the file whose arrays fit by role and shape.
Evidence then takes candidates away:

    names    a layer that was given a name is called so on both sides
    numbers  Keras's own names differ by one shift for each class (see ``names``)
    order    in a Functional or Sequential model's ``layers``, what comes first in the data flow
             has the lower number within its class

What is left with one candidate is matched. Where the kinds of evidence contradict each other for
layers that could be swapped, both readings are kept, and the caller refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tflrepair.weights.layers import FileLayer, TargetLayer, assignments
from tflrepair.weights.names import split_number
from tflrepair.weights.order import contradict, narrow
from tflrepair.weights.question import Candidate, Question, keep
from tflrepair.weights.roles import class_roles


def read(targets: Sequence[TargetLayer], layers: Sequence[FileLayer]) -> list[Question]:
    """Narrow the candidates of each layer of the model among one source's layers."""
    questions = []
    for target in targets:
        fitting = [Candidate(layer, assignments(target, layer)) for layer in layers]
        questions.append(Question(target, [c for c in fitting if c.readings]))
    _by_class(questions)
    _by_name(questions, layers)
    _by_number(questions)
    _take_turns(questions)
    narrow(questions)
    _take_turns(questions)
    contradict(questions)
    return questions


def _by_class(questions: Iterable[Question]) -> None:
    """A name such as ``dense_3`` tells the class; the file's lists of layers tell it, too."""
    for question in questions:
        base = split_number(question.target.names[-1])[0] if question.target.names else ""
        if class_roles(base) is not None:
            keep(question, lambda c, base=base: c.layer.class_name in ("", base), "class")


def _by_name(questions: Iterable[Question], layers: Sequence[FileLayer]) -> None:
    """A name that somebody gave belongs to the layer of that name, and to no other."""
    given = {name for layer in layers for name in _given_names(layer)[-1:]}
    wanted = {q.target.names[-1] for q in questions if q.target.names} & given
    for question in questions:
        own = question.target.names[-1] if question.target.names else ""
        if own not in wanted:
            keep(question, lambda c: _last(c.layer) not in wanted, "")
            continue
        there = [c for c in question.candidates if _last(c.layer) == own]
        if not there:
            question.conflict = f"the file's layer {own!r} has other shapes"
        question.candidates = there
        question.reason = "name"
        parents = set(question.target.names[:-1])
        best = max((len(parents & set(_given_names(c.layer))) for c in there), default=0)
        keep(question, lambda c: len(parents & set(_given_names(c.layer))) == best, "name")


def _given_names(layer: FileLayer) -> list[str]:
    """Names in the chain that somebody chose: where the class is known and is called otherwise."""
    chosen = []
    offset = len(layer.keys) + 1 - len(layer.names)
    for i, name in enumerate(layer.names):
        made_from = layer.class_at(i + offset - 1) if offset >= 0 else ""
        if made_from and split_number(name)[0] != made_from:
            chosen.append(name)
    return chosen


def _last(layer: FileLayer) -> str:
    return layer.names[-1] if layer.names else ""


def _by_number(questions: Sequence[Question]) -> None:
    """One shift of the numbers for each class, the same for all of its layers."""
    changed = True
    while changed:
        shifts: dict[str, set[int]] = {}
        for question in questions:
            for base, found in _shifts(question).items():
                shifts[base] = shifts[base] & found if base in shifts else set(found)
        changed = False
        for question in questions:
            changed |= keep(
                question,
                lambda c, q=question: all(
                    not shifts.get(base) or shift in shifts[base]
                    for base, shift in _aligned(q.target, c.layer)
                ),
                "number",
            )


def _shifts(question: Question) -> dict[str, set[int]]:
    """For each class in the layer's name: the shifts its candidates allow, if all have one."""
    rows = [dict(_aligned(question.target, c.layer)) for c in question.candidates]
    bases = set.intersection(*(set(row) for row in rows)) if rows else set()
    return {base: {row[base] for row in rows} for base in bases}


def _aligned(target: TargetLayer, layer: FileLayer) -> list[tuple[str, int]]:
    """(class, number in the model - number in the file) of the last parts of both names."""
    pairs = []
    for ours, theirs in zip(reversed(target.names), reversed(layer.names), strict=False):
        base, number = split_number(ours)
        other, old = split_number(theirs)
        if base != other:
            break
        pairs.append((base, number - old))
    return pairs


def _take_turns(questions: Sequence[Question]) -> None:
    """A layer of the file that is taken is nobody else's."""
    changed = True
    while changed:
        taken: dict[int, Question] = {}
        for question in questions:
            if len(question.candidates) == 1:
                taken.setdefault(id(question.candidates[0].layer), question)
        changed = False
        for question in questions:
            changed |= keep(
                question,
                lambda c, q=question: taken.get(id(c.layer), q) is q,
                "",
            )
