"""Give each variable its value: by map, by exact name, by layer, or by the optimizer's start."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from tflrepair.weights.matching import given
from tflrepair.weights.matching.frozen import Kernel, frozen
from tflrepair.weights.matching.question import Candidate, Question
from tflrepair.weights.matching.reading import read
from tflrepair.weights.matching.suspicion import suspicious
from tflrepair.weights.optimizers.saved_state import saved_state
from tflrepair.weights.starts import layer_state, starting
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layers import file_layers, target_layers
from tflrepair.weights.types.match_table import OPEN, WEIGHT, MatchTable, Problem, Row
from tflrepair.weights.types.weight import Source, Target, Weight, size_text

_SHOWN = 8
_FILE_HINT = "give one with --weights FILE"
_CHECK_HINT = "decide with --check IN.npz OUT.npz: what the Python model answers"
_MAP_HINT = "decide with --map FILE: a JSON object of variable name to weight path"


def match(
    targets: Sequence[Target],
    sources: Sequence[Source],
    *,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    by_name: bool = False,
    kernels: Sequence[Kernel] = (),
    rate: float | None = None,
) -> MatchTable:
    """Find the value of every target, or say what stands in the way.

    Args:
        mapping: shared name -> path of a weight (or ``source::path``), as the user decided.
        sets: shared name (``*`` stands for anything) -> value of every element.
        by_name: the sources' names are the model's own variable names: take them as they are.
        kernels: the model's constants; a layer of a file that is one of them is no variable.
        rate: value of every learning rate that ``mapping`` and ``sets`` do not name.

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
            _by_exact_name(targets, source, rows, problems)
    by_layer = partial(_by_layer, targets, [s for s in sources if not s.exact], kernels)
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


def _by_exact_name(
    targets: Sequence[Target], source: Source, rows: dict[str, Row], problems: list[Problem]
) -> None:
    paths: dict[str, set[Weight]] = {}
    for weight in source.weights:
        for own in weight.names:
            paths.setdefault(own.removesuffix(":0"), set()).add(weight)
    for target in targets:
        name = target.shared_name
        found = set[Weight]()
        for alias in (*(target.saved_as if source.saved else ()), name, target.name):
            found = found or paths.get(alias, set())
        if len(found) != 1:
            continue
        (weight,) = found
        if not fits(target, weight):
            continue
        reason = f"has the same name in the {source.kind}"
        row = Row(target, WEIGHT, weight, None, reason, "exact")
        known = rows.setdefault(name, row)
        if known.confidence == "exact" and known.weight not in (None, weight):
            both = [{name: w} for w in (known.weight, weight) if w is not None]
            if not _same_values(both):
                message = (
                    f"{name!r} has different values in {known.weight.source} and {source.label}"
                )
                candidates = tuple(f"{w.source}::{w.path}" for r in both for w in r.values())
                problems.append(Problem("conflict", (name,), message, candidates, _MAP_HINT))


def _by_layer(
    all_targets: Sequence[Target],
    sources: Sequence[Source],
    kernels: Sequence[Kernel],
    taken: Mapping[str, Row],
    starts: Collection[str],
) -> tuple[dict[str, Row], list[Problem]]:
    """Match layer by layer in each source by itself, then bring the sources together.

    Args:
        taken, starts: shared names that have their value already, or start by themselves.
    """
    targets = [t for t in all_targets if t.shared_name not in {*taken, *starts}]
    groups = target_layers(targets)
    used = {(r.weight.source, r.weight.path) for r in taken.values() if r.weight}
    answers = []
    for source in sources:
        free = [w for w in source.weights if w.plain and (w.source, w.path) not in used]
        layers = file_layers(free)
        answers.append(read(groups, layers, frozen(kernels, layers)))
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
        count = "1 variable needs" if len(names) == 1 else f"{len(names)} variables need"
        message = f"{count} a file of weights: {shown}"
        problems.append(
            Problem("missing", names, message, (), _FILE_HINT, options=("--weights FILE",))
        )
    return rows, problems


def _settle(asked: Sequence[Question], rows: dict[str, Row]) -> Problem | None:
    """Write the rows of one layer if all sources together leave one reading."""
    names = tuple(target.shared_name for _, target in asked[0].target.targets)
    able = [q for q in asked if q.candidates]
    hint = _MAP_HINT
    if not able:
        shapes = ", ".join(f"{r} {size_text(t.shape)}" for r, t in asked[0].target.targets)
        conflict = next((q.conflict for q in asked if q.conflict), "")
        message = f"no layer in the weights fits {asked[0].target.label or names[0]!r} ({shapes})"
        return Problem(
            "missing", names, f"{message}; {conflict}" if conflict else message, (), hint
        )
    readings = [(q, c, r) for q in able for c in q.candidates for r in c.readings]
    conflict = next((q.conflict for q in able if q.conflict), "")
    if conflict:
        candidates = tuple(f"{c.layer.label} in {c.layer.source}" for q in able for c in q.fitting)
        message = f"{asked[0].target.label!r} is not certain: {conflict}"
        return Problem("conflict", names, message, candidates[:_SHOWN], hint)
    if len(readings) > 1 and not _same_values([r for _, _, r in readings]):
        candidates = tuple(
            f"{c.layer.label} in {c.layer.source}: "
            + ", ".join(f"{n.rpartition('/')[2]} = {w.path}" for n, w in r.items())
            for _, c, r in readings
        )
        files = {c.layer.source for _, c, _ in readings}
        kind = "conflict" if len(files) > 1 else "ambiguous"
        message = f"{asked[0].target.label!r} could be {len(readings)} things in the weights"
        if kind == "conflict":
            return Problem(kind, names, message, candidates[:_SHOWN], hint)
        choices = tuple(tuple(_rows(q, c, r, "checked")) for q, c, r in readings)
        return Problem(kind, names, message, candidates[:_SHOWN], _hint(readings), choices)
    question, candidate, reading = readings[0]
    for row in _rows(question, candidate, reading, question.reason):
        rows[row.target.shared_name] = row
    return None


def _rows(
    question: Question, candidate: Candidate, reading: Mapping[str, Weight], sure_by: str
) -> Iterator[Row]:
    for _, target in question.target.targets:
        reason = f"layer {candidate.layer.label}, matched by {question.reason}"
        yield Row(target, WEIGHT, reading[target.shared_name], None, reason, sure_by)


def _hint(readings: Sequence[tuple[Question, Candidate, Mapping[str, Weight]]]) -> str:
    own = any(all(name in w.names for name, w in reading.items()) for _, _, reading in readings)
    trust = "; or with --by-name, if the names in the file are this model's own" if own else ""
    return f"{_CHECK_HINT}{trust}; or {_MAP_HINT.removeprefix('decide ')}"


def _same_values(readings: Sequence[Mapping[str, Weight]]) -> bool:
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
