"""Optimizer state from a source that has it.

A legacy HDF5 file names each variable of the optimizer, a Keras 3 file numbers them (see
``state_numbered``). Slots and step counter are taken together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tflrepair.weights.optimizers import saved_state_keras2
from tflrepair.weights.optimizers.numbered_state import numbered
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.match_table import WEIGHT, Row
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Source, Target, Weight
from tflrepair.wording import plural


def saved_state(
    targets: Sequence[Target],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
    sources: Sequence[Source],
) -> tuple[dict[str, Row], list[str]]:
    """(rows for optimizer variables whose state a source holds, warnings)."""
    found: dict[str, Row] = {}
    warnings = []
    mine = {name: start for name, start in starts.items() if start.in_optimizer}
    rest = {t.shared_name: t for t in targets if t.shared_name in mine}
    for source in sources:
        state = [w for w in source.weights if w.keys[:1] == ("optimizer",)]
        if not state or not mine:
            continue
        taken = _from_source(source, state, mine, rows, rest)
        found = taken | found
        if not set(mine) <= set(taken):
            warnings.append(
                f"{source.label} holds optimizer state ({plural(len(state), 'array')}); for "
                f"{len(set(mine) - set(taken))} of {len(mine)} optimizer variables it is unclear "
                "which are theirs, so it is not used for them"
            )
    return found, warnings


def _from_source(
    source: Source,
    state: Sequence[Weight],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
    targets: Mapping[str, Target],
) -> dict[str, Row]:
    if any(start.keras2 for start in starts.values()):
        weights = saved_state_keras2.state(source, state, starts, rows)
    else:
        weights = _state(source, state, starts, rows)
    found = {}
    for name, weight in weights.items():
        if fits(targets[name], weight):
            reason = f"optimizer state in the {source.kind}"
            found[name] = Row(targets[name], WEIGHT, weight, None, reason, "name")
    if any(start.slot and name not in found for name, start in starts.items()):
        # the step counter belongs to the slots: Adam's bias correction would be wrong. Without them
        # only its name ties the optimizer to the file: ``adam`` in it may not be ``adam_1`` here.
        called = {w.layer[-1] for w in state if w.layer}
        return {
            name: row
            for name, row in found.items()
            for scope, _, rest in [name.rpartition("/")]
            if rest == "learning_rate" and called <= {scope}
        }
    return found


def _state(
    source: Source,
    state: Sequence[Weight],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
) -> dict[str, Weight]:
    scopes = {name.partition("/")[0] for name in starts}
    kinds = {split_number(scope)[0] for scope in scopes}
    theirs = {split_number(w.layer[-1])[0] for w in state if w.layer}
    if len(scopes) > 1 or (theirs and theirs != kinds):
        return {}
    kept = {w.role: w for w in state} if state[0].role else numbered(source, state, kinds.pop())
    found = {name: _find(name, start, rows, kept) for name, start in starts.items()}
    return {name: weight for name, weight in found.items() if weight is not None}


def _find(
    name: str, start: Start, rows: Mapping[str, Row], kept: Mapping[str, Weight]
) -> Weight | None:
    rest = name.partition("/")[2]
    if rest in ("iteration", "learning_rate"):
        return kept.get(rest)
    owner = rows.get(start.owner or "")
    if owner is None or owner.weight is None or not start.slot:
        return None
    weight = owner.weight
    names = ["_".join((*weight.layer[n:], weight.role)) for n in (0, 1)] if weight.role else []
    found = [kept[f"{name}_{start.slot}"] for name in names if f"{name}_{start.slot}" in kept]
    return found[0] if found else kept.get(f"{weight.path}_{start.slot}")
