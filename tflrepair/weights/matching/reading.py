"""Which layer of a source can be which layer of the model.

Every layer of the model begins with all layers of the file whose arrays fit by role and shape.
Evidence then takes candidates away:

    constants  a layer that the model holds as a constant is no variable (see ``frozen``)
    names    a layer that was given a name is called so on both sides; Keras's own names agree
             in their class
    nesting  layers inside one layer or model of ours are inside one of the file's
    numbers  Keras's own names differ by one shift for each class (see ``names``)
    order    in a Functional or Sequential model's ``layers``, what comes first in the data flow
             has the lower number within its class (see ``order``)

What is left with one candidate is matched. Where kinds of evidence contradict each other for
layers that could be swapped, or two layers claim the same one, the question says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tflrepair.weights.matching.assign import assignments
from tflrepair.weights.matching.cased import by_case
from tflrepair.weights.matching.doubts import Facts, examine
from tflrepair.weights.matching.listed import by_list
from tflrepair.weights.matching.numbers import by_number, no_shift
from tflrepair.weights.matching.order import contradict, narrow, updates_agree
from tflrepair.weights.matching.question import NOBODY, Candidate, Question, User, keep
from tflrepair.weights.matching.topology import by_graph
from tflrepair.weights.types import acceptable
from tflrepair.weights.types.layer_names import canonical, split_number
from tflrepair.weights.types.layers import FileLayer, Level, TargetLayer
from tflrepair.weights.types.weight import Source


def read(
    targets: Sequence[TargetLayer],
    layers: Sequence[FileLayer],
    frozen: Collection[int] = (),
    source: Source | None = None,
    strange: Collection[int] = (),
    user: User = NOBODY,
) -> list[Question]:
    """Narrow the candidates of each layer of the model among one source's layers.

    Args:
        frozen: ``id`` of each layer of the file that the model holds as a constant.
        source: the source, for what else it tells.
        strange: element counts of the model's constant kernels that no source holds.
        user: what the user accepts, and whether running decides what is left open.
    """
    found = source.architecture if source is not None else None
    own = source.own_classes if source is not None else {}
    by_shape: dict[tuple[int, ...], list[FileLayer]] = {}
    for layer in layers:
        for shape in {weight.shape for weight in layer.weights}:
            by_shape.setdefault(shape, []).append(layer)
    questions = []
    for target in targets:
        known = [t.shape for _, t in target.targets if t.shape is not None and -1 not in t.shape]
        possible = min((by_shape.get(shape, []) for shape in known), key=len, default=layers)
        fitting = [
            Candidate(layer, assignments(target, layer, own.get("/".join(layer.keys))))
            for layer in possible
        ]
        questions.append(Question(target, [c for c in fitting if c.readings]))
    for question in questions:
        _not_frozen(question, frozen)
    by_case(questions)
    _by_name(questions, layers)
    by_graph(questions, layers, found, frozen)
    groups = _nested(questions)
    is_open = source is not None and not strange and not frozen  # no layer stands as a constant
    is_listed = by_list(questions, layers, source) if source is not None and is_open else False
    _narrow(questions, groups, by_update=False)
    by_update = updates_agree(questions)
    if by_update:
        _narrow(questions, groups, by_update)
    contradict(questions, by_update, tuple(own))
    _torn_apart(groups)
    _other_numbers(questions, is_listed)
    _other_names(questions)
    if source is not None and source.named:
        _some_names(questions)
    _other_models(questions)
    facts = Facts(frozenset(frozen), source, frozenset(strange), user.accepted)
    examine(questions, layers, facts)
    for question in questions if user.running else ():
        question.reopen()
    return questions


def _not_frozen(question: Question, frozen: Collection[int]) -> None:
    """A layer that the model holds as a constant is none of its variables."""
    left = [c for c in question.candidates if id(c.layer) not in frozen]
    if question.candidates and not left:
        text = "the only layer that fits stands in the model as a constant"
        question.doubts[acceptable.FROZEN_LAYER] = text
    keep(question, left, "constants")


def _narrow(questions: Sequence[Question], groups: Sequence[Group], by_update: bool) -> None:
    """Let all kinds of evidence take candidates away, until none of them does."""
    changed = True
    while changed:
        changed = _by_nesting(groups) | by_number(questions) | _take_turns(questions)
        changed |= narrow(questions, by_update)


def _other_numbers(questions: Sequence[Question], is_listed: bool) -> None:
    """Running numbers that differ by no one shift: of another program, or of one that changed.

    Where the file lists the whole model in the order of its data flow, that order is right if it
    is the latter.
    """
    before = [question.conflict for question in questions]
    no_shift(questions)
    for question, conflict in zip(questions, before, strict=True):
        if is_listed and question.conflict and not conflict:
            question.doubts[acceptable.REORDERED_LAYERS] = question.conflict
            question.conflict = ""


def _other_names(questions: Sequence[Question]) -> None:
    """A layer that fits by its shapes alone, under another name, may be another layer."""
    for question in questions:
        own = question.target.last
        if own and question.candidates and not question.conflict:
            levels = [_last(c) for c in question.candidates]
            if all(level.name and not level.fits(own) for level in levels):
                names = " or ".join(repr(level.name) for level in levels[:3])
                text = f"its shapes fit, but the file calls the layer {names}"
                question.doubts[acceptable.RENAMED_LAYER] = text


def _some_names(questions: Sequence[Question]) -> None:
    """Where other layers of such a file have the model's own full names, this one lacks its own."""
    agree = [_has_its_name(q) for q in questions]
    for question, same in zip(questions, agree, strict=True):
        if any(agree) and not same and len(question.candidates) == 1 and not question.conflict:
            name = question.candidates[0].layer.label
            text = f"its shapes fit, but the file calls it {name!r}, and others as the model does"
            question.doubts.setdefault(acceptable.RENAMED_LAYER, text)


def _has_its_name(question: Question) -> bool:
    """Whether the layer that is left has the model's name for it, down to Keras's number.

    The first layer of a class has no number, in each program.
    """
    if len(question.candidates) != 1:
        return False
    names = question.candidates[0].layer.names
    mine = question.target.names
    return names in (mine, mine[1:]) and split_number(question.target.last)[1] > 0


def _other_models(questions: Sequence[Question]) -> None:
    """A layer with one of Keras's own names, inside another model than ours, is another layer.

    The outermost step of the file is the saved model itself, which anybody may call otherwise.
    """
    for question in questions:
        if question.conflict or not question.candidates:
            continue
        strange = [_strange(question.target, c) for c in question.candidates]
        if all(strange):
            question.conflict = f"its shapes fit, but the file has it inside {strange[0]!r}"


def _strange(target: TargetLayer, candidate: Candidate) -> str:
    """The name of a step around the layer that the file and the model call otherwise."""
    levels = candidate.layer.levels
    if not levels or levels[-1].given:
        return ""
    if not candidate.layer.keys:  # such a file may lack steps in between
        around = [level for level in levels[:-1] if level.name]
        strange = (x.name for x in around if not any(map(x.fits, target.names[:-1])))
        return next(strange, "") if len(target.names) > 1 else ""
    pairs = zip(reversed(levels[1:-1]), reversed(target.names[:-1]), strict=False)
    return next((level.name for level, name in pairs if level.name and not level.fits(name)), "")


def _by_name(questions: Sequence[Question], layers: Sequence[FileLayer]) -> None:
    given = {_given(layer.levels[-1]) for layer in layers if layer.levels}
    ours = {canonical(question.target.last) for question in questions} & given - {""}
    for question in questions:
        own = question.target.last
        if canonical(own) in ours:
            there = [c for c in question.candidates if _is_called(_last(c), own)]
            if not there:
                question.conflict = f"the file's layer {own!r} has other arrays"
            question.candidates = there
            question.reason = "name"
            continue
        free = [c for c in question.candidates if _given(_last(c)) not in ours]
        keep(question, free)
        keep(question, [c for c in question.candidates if _last(c).fits(own)], "class")
    outer = {_given(level) for layer in layers for level in layer.levels[:-1]} - {""}
    for question in questions:
        parents = outer.intersection(map(canonical, question.target.names[:-1]))
        if parents:
            inside = [c for c in question.candidates if parents <= _given_outside(c)]
            keep(question, inside, "name")


def _given_outside(candidate: Candidate) -> set[str]:
    """Names that somebody gave to the models and layers around the candidate."""
    return {_given(level) for level in candidate.layer.levels[:-1]}


def _is_called(level: Level, name: str) -> bool:
    return name == level.name or canonical(name) == _given(level)


def _given(level: Level) -> str:
    """The name that somebody gave to it; empty for a name of Keras's own."""
    return canonical(level.name) if level.given else ""


def _last(candidate: Candidate) -> Level:
    levels = candidate.layer.levels
    return levels[-1] if levels else Level()


Group = tuple[tuple[str, ...], list[Question]]


def _nested(questions: Sequence[Question]) -> list[Group]:
    """Groups of layers under a common name that fit, all of them, under some step of the file."""
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in questions:
        for names in {question.target.names, question.target.short}:
            for depth in range(1, len(names)):
                groups.setdefault(names[:depth], []).append(question)
    return [(p, groups[p]) for p in sorted(groups, key=len) if _places(p, groups[p])]


def _places(prefix: tuple[str, ...], group: Sequence[Question]) -> set[object]:
    """The steps of the file under which every layer of the group has a candidate."""
    places = [{n for c in q.candidates for n in _nodes(c, _below(q, prefix))} for q in group]
    return set.intersection(*places)


def _by_nesting(groups: Sequence[Group]) -> bool:
    changed = False
    for prefix, group in groups:
        common = _places(prefix, group)
        for question in group if common else ():
            below = _below(question, prefix)
            inside = [c for c in question.candidates if not common.isdisjoint(_nodes(c, below))]
            changed |= keep(question, inside, "nesting")
    return changed


def _torn_apart(groups: Sequence[Group]) -> None:
    """Layers that could have stayed together in the file, but were given different places."""
    for prefix, group in groups:
        if not _places(prefix, group):
            for question in group:
                name = repr("/".join(prefix))
                question.conflict = f"the layers of {name} are in different places in the file"


def _below(question: Question, prefix: tuple[str, ...]) -> tuple[str, ...]:
    """The part of the layer's name behind ``prefix``, which is a part of one of its names."""
    names = question.target.names
    if names[: len(prefix)] != prefix:
        names = question.target.short
    return names[len(prefix) :]


def _nodes(candidate: Candidate, below: tuple[str, ...]) -> Iterator[object]:
    """The step of the file's path from which the rest of the path fits ``below``."""
    levels = candidate.layer.levels
    start = len(levels) - len(below)
    if start > 0 and all(
        level.fits(name) for level, name in zip(levels[start:], below, strict=True)
    ):
        yield candidate.layer.source, candidate.layer.node(start)


def _take_turns(questions: Sequence[Question]) -> bool:
    """A layer of the file that is taken is nobody else's."""
    any_change, changed = False, True
    while changed:
        taken: dict[int, Question] = {}
        for question in questions:
            if len(question.candidates) == 1:
                taken.setdefault(id(question.candidates[0].layer), question)
        changed = False
        for question in questions:
            free = [c for c in question.candidates if taken.get(id(c.layer), question) is question]
            changed |= keep(question, free)
        any_change |= changed
    return any_change
