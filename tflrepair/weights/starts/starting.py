"""Rows for variables that start as their optimizer or layer starts them, and what must be given."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from tflrepair.errors import UserError
from tflrepair.weights.starts import copies, layer_state, optimizer_state
from tflrepair.weights.starts.number import number
from tflrepair.weights.types import optimizer_config
from tflrepair.weights.types.match_table import INITIAL, OPEN, SET, Problem, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.start import NO_RATE, Assumption, Start
from tflrepair.weights.types.weight import Source, Target
from tflrepair.wording import grouped

RATE_OPTION = "--learning-rate"
_EXAMPLE_RATE = "1e-4"
_SHOWN = 4


def starts(targets: Sequence[Target], sources: Sequence[Source]) -> dict[str, Start]:
    """The variables that no file holds as a layer's weight, and how each starts.

    tf-keras may call a slot ``m/dense/kernel``: a model named ``m`` would look the same.
    """
    held = {
        name.removesuffix(":0") for s in sources for w in s.weights if w.plain for name in w.names
    }
    found = layer_state.never_held(targets, sources)
    for name, start in optimizer_state.starts(targets, sources).items():
        like_a_slot = start.keras2 and start.slot and name.startswith(f"{start.slot}/")
        if not (like_a_slot and name in held):
            found[name] = start
    return found


def rates(
    targets: Sequence[Target], starts: Mapping[str, Start], rate: float | str | None
) -> dict[str, Row]:
    """A row with ``rate`` for every learning rate; none if it is None.

    Raises:
        UserError: there is no learning rate, or ``rate`` is none.
    """
    if rate is None:
        return {}
    mine = [t for t in targets if t.shared_name in starts and starts[t.shared_name].is_rate]
    if not mine:
        raise UserError(f"{RATE_OPTION}: the model has no learning rate that takes a value")
    reason = f"given with {RATE_OPTION}"
    values = {t.shared_name: number(RATE_OPTION, rate, t.dtype) for t in mine}
    return {t.shared_name: Row(t, SET, None, values[t.shared_name], reason, "given") for t in mine}


def rows(
    targets: Sequence[Target],
    starts: Mapping[str, Start],
    known: dict[str, Row],
    sources: Sequence[Source],
) -> dict[str, Row]:
    """A row for each variable that has none and starts by itself; copies after what they copy."""
    mine = [t for t in targets if t.shared_name in starts and t.shared_name not in known]
    found = {t.shared_name: _row(t, starts[t.shared_name], sources) for t in mine}
    while True:  # a copy may copy a copy
        all_rows = known | found
        ready = {name: copied(row, all_rows) for name, row in found.items() if _waits(row)}
        if all(map(_waits, ready.values())):
            return found
        found |= ready


def _waits(row: Row) -> bool:
    return bool(row.like) and row.origin == OPEN


def _row(target: Target, start: Start, sources: Sequence[Source]) -> Row:
    """The value that a variable starts with; unresolved if it must be given or is a copy."""
    assumption = _assumption(target, start)
    if start.like is not None:
        row = Row(target, OPEN, reason=start.reason, source=start.source, assumption=assumption)
        sure = "given" if start.given else "assumed" if assumption else "documented"
        return replace(row, like=start.like, confidence=sure)
    unnamed = start.keras2 and not start.kind  # tf-keras leaves the class out of some names
    told = optimizer_config.argument(start.kind, start.scope, start.argument, sources, unnamed)
    if told is not None:
        value, label = told
        reason = f"{start.argument} is {value:g} in the config of {label}"
        return Row(target, INITIAL, None, _number(target, value), reason, "config")
    if start.value is None:
        return Row(target, OPEN, reason=start.reason)
    fill = _number(target, start.value)
    sure = "assumed" if assumption else "documented"
    return Row(target, INITIAL, None, fill, start.reason, sure, start.source, assumption)


def copied(row: Row, rows: Mapping[str, Row]) -> Row:
    """The row of a copy with the value of what it copies, if that has one by now."""
    like = rows.get(row.like)
    if like is None or like.origin == OPEN:
        return row
    origin = SET if row.confidence == "given" else INITIAL
    return replace(row, origin=origin, weight=like.weight, fill=like.fill)


def _number(target: Target, value: float) -> float | int:
    return int(value) if "int" in target.dtype else value


def _assumption(target: Target, start: Start) -> Assumption | None:
    if start.assumed:
        return Assumption(start.assumed, f"--set {shlex.quote(f'{start.pattern}=VALUE')}")
    option = f"--set {shlex.quote(f'{_pattern(start, target.shared_name)}=VALUE')}"
    if start.argument and start.value is not None:
        made = f"{start.scope or start.kind!r} was made with"
        text = f"{made} {start.argument}={start.value:g}, the default"
        return Assumption(text, option)
    return None


def _pattern(start: Start, name: str) -> str:
    return start.pattern if start.pattern and fnmatchcase(name, start.pattern) else name


def missing(open_: Mapping[str, Start], targets: Sequence[Target]) -> Iterator[Problem]:
    """What must be given, one problem for all that one option gives.

    A copy of something that is open itself has no problem of its own.
    """
    rates = [name for name, start in open_.items() if start.is_rate]
    if rates:
        yield _rates(rates, targets)
    circle = tuple(name for name in open_ if _in_circle(name, open_))
    if circle:
        message = f"{_listed(circle)} would start as copies of each other"
        options = tuple(f"--set {shlex.quote(f'{name}=VALUE')}" for name in circle)
        yield Problem(
            "missing", circle, message, (), remedy("set-one", option=options[0]), (), options[:1]
        )
    groups: dict[tuple[str, str], list[str]] = {}
    for name, start in open_.items():
        if not start.is_rate and start.like is None:
            groups.setdefault((start.reason, _pattern(start, name)), []).append(name)
    for (reason, pattern), names in groups.items():
        owned = any(open_[name].slot and open_[name].owner for name in names)
        value = "0" if owned else "VALUE"
        option = f"--set {shlex.quote(f'{pattern}={value}')}"
        hint = remedy("set", option=option) + (remedy("other-value") if owned else "")
        if owned:
            copy = f"--set {shlex.quote(f'{pattern}={copies.COPY}')}"
            hint += remedy("set-copy", option=copy)
        message = f"{_listed(names)} {'has' if len(names) == 1 else 'have'} no value: {reason}"
        yield Problem("missing", tuple(names), message, (), hint, options=(option,))


def _in_circle(name: str, open_: Mapping[str, Start]) -> bool:
    """Whether following what it copies leads back to it."""
    like, steps = open_[name].like, 0
    while like is not None and like in open_ and like != name and steps < len(open_):
        like, steps = open_[like].like, steps + 1
    return like == name


def _rates(names: Sequence[str], targets: Sequence[Target]) -> Problem:
    rates = [target for target in targets if target.shared_name in names]
    readers = sorted({label for target in rates for label in target.unset_in})
    others = {label for target in targets for label in target.unset_in} - set(readers)
    many = len(names) > 1
    message = f"{_listed(names)} {'have' if many else 'has'} no value: {NO_RATE}"
    if readers:
        message += f"; only {_labels(readers)} read{'s' * (len(readers) == 1)} it"
    count, name = (f" for all {len(names)}", "NAME") if many else ("", names[0])
    hint = remedy("rate", option=RATE_OPTION, many=count, name=name)
    if readers and others:
        hint += remedy("any-rate", signatures=_labels(readers, "or"))
    return Problem(
        "missing", tuple(names), message, (), hint, options=(f"{RATE_OPTION} {_EXAMPLE_RATE}",)
    )


def _labels(labels: Iterable[str], join: str = "and") -> str:
    *most, last = [f"`{label}`" for label in labels]
    return f"{', '.join(most)} {join} {last}" if most else last


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown + (f" and {grouped(len(names) - _SHOWN)} more" if len(names) > _SHOWN else "")
