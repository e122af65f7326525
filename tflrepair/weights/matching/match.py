"""Give each variable its value: by map, by exact name, by layer, or by the optimizer's start."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from tflrepair.weights.evidence.suspicion import suspicious
from tflrepair.weights.matching import given
from tflrepair.weights.matching.by_name import (
    by_all_names,
    by_exact_name,
    same_values,
    without_slots,
)
from tflrepair.weights.matching.frozen import frozen, strangers
from tflrepair.weights.matching.question import Candidate, Question, User
from tflrepair.weights.matching.reading import read
from tflrepair.weights.model_facts.kernels import Kernel
from tflrepair.weights.optimizers.saved_state import saved_state
from tflrepair.weights.starts import layer_state, starting
from tflrepair.weights.types.acceptable import ACCEPTABLE
from tflrepair.weights.types.layers import file_layers, target_layers
from tflrepair.weights.types.match_table import CHECKED, OPEN, WEIGHT, MatchTable, Problem, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.weight import Source, Target, Weight, size_text
from tflrepair.wording import plural

_SHOWN = 8


def match(
    targets: Sequence[Target],
    sources: Sequence[Source],
    *,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    by_name: bool = False,
    kernels: Sequence[Kernel] = (),
    rate: float | str | None = None,
    accepted: Collection[str] = (),
    running: bool = False,
) -> MatchTable:
    """Find the value of every target, or say what stands in the way.

    Args:
        mapping: shared name -> path of a weight (or ``source::path``), as the user decided.
        sets: shared name (``*`` stands for anything) -> value of every element.
        by_name: the sources' names are the model's own variable names: take them as they are.
        kernels: the model's constants; a layer of a file that is one of them is no variable.
        rate: value of every learning rate that ``mapping`` and ``sets`` do not name.
        accepted: names of doubts that the user accepts (see ``types/acceptable.py``).
        running: whether running will decide what only the order in the file tells apart.

    Raises:
        UserError: ``mapping`` or ``sets`` names what does not exist or does not fit.
        BadFileError: a source is damaged.
    """
    starts = starting.starts(targets, sources)
    starts |= given.as_copies(targets, sets or {}, starts)
    rows = given.by_map(targets, sources, mapping or {})
    rows |= starting.rates(targets, starts, rate) | given.by_set(targets, sets or {})
    problems: list[Problem] = []
    for source in sources:
        if source.exact or source.saved or by_name:
            by_exact_name(targets, source, rows, problems)
    by_all_names([t for t in targets if t.shared_name not in starts], sources, rows, problems)
    others = [s for s in sources if not s.exact]
    user = User(frozenset(accepted), running)
    by_layer = partial(_by_layer, targets, others, kernels, user)
    starts, found, more = layer_state.settled(by_layer, targets, sources, rows, starts)
    rows |= found
    problems += more
    state, warnings = saved_state(targets, starts, rows, sources)
    rows = state | rows
    rows |= starting.rows(targets, starts, rows, sources)
    open_ = {name: start for name, start in starts.items() if rows[name].origin == OPEN}
    problems += starting.missing(open_, targets)
    doubts, more_warnings = suspicious(rows.values())
    used = {(r.weight.source, r.weight.path) for r in rows.values() if r.weight}
    unused = tuple(w for s in sources for w in s.weights if (w.source, w.path) not in used)
    ordered = tuple(rows.get(t.shared_name) or Row(t, OPEN) for t in targets)
    return MatchTable(ordered, (*problems, *doubts), unused, (*warnings, *more_warnings))


def _only(targets: Sequence[Target], names: Collection[str]) -> list[Target]:
    """The targets of these names; ``upstream`` counts places, so it changes with them."""
    places = [place for place, target in enumerate(targets) if target.shared_name in names]
    if len(places) == len(targets):
        return list(targets)

    def moved(mask: int) -> int:  # as text: a shift for each bit takes ten times as long
        bits = f"{mask:0{len(targets)}b}"[::-1]
        return int("".join([bits[place] for place in reversed(places)]) or "0", 2)

    return [replace(targets[place], upstream=moved(targets[place].upstream)) for place in places]


def _by_layer(
    all_targets: Sequence[Target],
    sources: Sequence[Source],
    kernels: Sequence[Kernel],
    user: User,
    taken: Mapping[str, Row],
    starts: Collection[str],
) -> tuple[dict[str, Row], list[Problem]]:
    """Match layer by layer in each source by itself, then bring the sources together.

    Args:
        taken, starts: shared names that have their value already, or start by themselves.
    """
    targets = _only(all_targets, {t.shared_name for t in all_targets} - {*taken, *starts})
    groups = target_layers(targets)
    used = {(r.weight.source, r.weight.path) for r in taken.values() if r.weight}
    opened = []
    for source in map(without_slots, sources):
        free = [w for w in source.weights if w.plain and (w.source, w.path) not in used]
        opened.append((source, file_layers(free)))
    all_layers = [layer for _, layers in opened for layer in layers]
    strange = strangers(kernels, all_layers) if groups and all_layers else frozenset()
    answers = [
        read(groups, layers, frozen(kernels, layers), source, strange, user)
        for source, layers in opened
    ]
    rows: dict[str, Row] = {}
    problems: list[Problem] = []
    for position in range(len(groups)):
        asked = [answer[position] for answer in answers]
        problem = _settle(asked, rows) if asked else None
        if not asked:
            continue
        if problem is not None:
            problems.append(problem)
    if not sources and targets:
        names = tuple(t.shared_name for t in targets)
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        count = plural(len(names), "variable needs", "variables need")
        message = f"{count} a file of weights: {shown}"
        problems.append(
            Problem("missing", names, message, (), remedy("weights"), options=("--weights FILE",))
        )
    return rows, problems


def _settle(asked: Sequence[Question], rows: dict[str, Row]) -> Problem | None:
    """Write the rows of one layer if all sources together leave one reading."""
    names = tuple(target.shared_name for _, target in asked[0].target.targets)
    able = [q for q in asked if q.candidates]
    hint = remedy("map")
    if not able:
        shapes = ", ".join(f"{r} {size_text(t.shape)}" for r, t in asked[0].target.targets)
        conflict = next((q.conflict for q in asked if q.conflict), "")
        message = f"no layer in the weights fits {asked[0].target.label or names[0]!r} ({shapes})"
        return Problem(
            "missing", names, f"{message}; {conflict}" if conflict else message, (), hint
        )
    readings = [(q, c, r) for q in able for c in q.candidates for r in c.readings]
    conflict = next((q.conflict for q in able if q.conflict), "")
    alike = [r for q in able for c in q.fitting for r in c.readings]
    if conflict and not (len(alike) > 1 and same_values(alike)):
        candidates = tuple(f"{c.layer.label} in {c.layer.source}" for q in able for c in q.fitting)
        message = f"{asked[0].target.label!r} is not certain: {conflict}"
        choices = _choices(able)
        return Problem(
            "conflict",
            names,
            message,
            candidates[:_SHOWN],
            (remedy("check") + remedy("or-map") if choices else hint) + _accept_hint(able),
            choices,
            tuple(f"--accept {name}" for name in _refused(able)),
        )
    if len(readings) > 1 and not same_values([r for _, _, r in readings]):
        candidates = tuple(
            f"{c.layer.label} in {c.layer.source}: "
            + ", ".join(f"{n.rpartition('/')[2]} = {w.path}" for n, w in r.items())
            for _, c, r in readings
        )
        files = {c.layer.source for _, c, _ in readings}
        kind = "conflict" if len(files) > 1 else "ambiguous"
        message = (
            f"{asked[0].target.label!r} could be {plural(len(readings), 'thing')} in the weights"
        )
        if kind == "conflict":
            return Problem(kind, names, message, candidates[:_SHOWN], hint)
        choices = tuple(tuple(_rows(q, c, r, CHECKED)) for q, c, r in readings)
        return Problem(kind, names, message, candidates[:_SHOWN], _hint(readings), choices)
    question, candidate, reading = readings[0]
    for row in _rows(question, candidate, reading, question.sure):
        rows[row.target.shared_name] = row
    return None


def _choices(able: Sequence[Question]) -> tuple[tuple[Row, ...], ...]:
    """The rows of all readings that roles and shapes allow; those that names prefer first.

    Empty where several files have some: then it is not a question that running can decide.
    """
    if len({c.layer.source for q in able for c in q.fitting}) != 1:
        return ()
    (question,) = (q for q in able if q.fitting)
    line = [*question.candidates, *(c for c in question.fitting if c not in question.candidates)]
    return tuple(tuple(_rows(question, c, r, CHECKED)) for c in line for r in c.readings)


def _rows(
    question: Question, candidate: Candidate, reading: Mapping[str, Weight], sure_by: str
) -> Iterator[Row]:
    for _, target in question.target.targets:
        reason = f"layer {candidate.layer.label}, matched by {question.reason}"
        weight, accepted = reading[target.shared_name], question.accepted
        yield Row(target, WEIGHT, weight, None, reason, sure_by, accepted=accepted)


def _refused(able: Sequence[Question]) -> tuple[str, ...]:
    """Names of the doubts that the conflict consists of; () if something else speaks against it."""
    refused = [q.refused for q in able if q.conflict]
    return tuple(dict.fromkeys(n for names in refused for n in names)) if all(refused) else ()


def _accept_hint(able: Sequence[Question]) -> str:
    names = _refused(able)
    if not names:
        return ""
    said = "; ".join(f"--accept {name}, if {ACCEPTABLE[name]}" for name in names)
    return remedy("accept", options=said)


def _hint(readings: Sequence[tuple[Question, Candidate, Mapping[str, Weight]]]) -> str:
    own = any(all(name in w.names for name, w in reading.items()) for _, _, reading in readings)
    return remedy("check") + (remedy("by-name") if own else "") + remedy("or-map-object")
