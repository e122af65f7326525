"""State of a tf-keras optimizer from a source that has it.

A whole-model HDF5 file names the optimizer's variables as they were called in the program that
wrote it; the part behind class and slot is the name of the variable that the slot belongs to. A
``.keras`` numbers them, in the same order as Keras 3 does (see ``state_numbered``): the counter,
then the slots (tf_keras/src/optimizers/adam.py and others, ``build``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tflrepair.weights.optimizers.numbered_state import numbered
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.match_table import Row
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Source, Weight

# Class -> its name in Keras 3, and what Keras 3 calls its slots: so numbered state is named.
_TODAY: dict[str, tuple[str, dict[str, str]]] = {
    "SGD": ("sgd", {"m": "momentum"}),
    "Adam": ("adam", {"m": "momentum", "v": "velocity", "vhat": "velocity_hat"}),
    "AdamW": ("adam_w", {"m": "momentum", "v": "velocity", "vhat": "velocity_hat"}),
    "Adamax": ("adamax", {"m": "momentum", "u": "norm"}),
    "Nadam": ("nadam", {"m": "momentum", "v": "velocity"}),
    "Adagrad": ("adagrad", {"accumulator": "accumulator"}),
    "Adadelta": ("adadelta", {s: s for s in ("accumulated_grad", "accumulated_delta_var")}),
    "Ftrl": ("ftrl", {s: s for s in ("accumulator", "linear")}),
    "Lion": ("lion", {"m": "momentum"}),
}


def state(
    source: Source,
    kept: Sequence[Weight],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
) -> dict[str, Weight]:
    """Shared name -> array, for each optimizer variable that the source's state tells."""
    if any(weight.role for weight in kept):
        named = {"/".join((*w.layer, w.role)): w for w in kept}
        found = {name: _by_name(name, start, rows, named) for name, start in starts.items()}
    else:
        found = _by_number(source, kept, starts, rows)
    return {name: weight for name, weight in found.items() if weight is not None}


def _by_name(
    name: str, start: Start, rows: Mapping[str, Row], named: Mapping[str, Weight]
) -> Weight | None:
    if not start.slot:
        last = split_number(name.rpartition("/")[2])[0]
        same = [w for key, w in named.items() if split_number(key.rpartition("/")[2])[0] == last]
        return same[0] if len(same) == 1 else None
    owner = _owner(start, rows)
    if owner is None:
        return None
    ends = set()
    for outer in range(len(owner.layer)):
        path = "/".join((*owner.layer[outer:], owner.role))
        ends |= {f"{start.slot}/{path}", f"{path}/{start.slot}"}
    fitting = [w for key, w in named.items() if key in ends or key.partition("/")[2] in ends]
    return fitting[0] if len(fitting) == 1 else None


def _by_number(
    source: Source,
    kept: Sequence[Weight],
    starts: Mapping[str, Start],
    rows: Mapping[str, Row],
) -> dict[str, Weight | None]:
    kinds = {split_number(name.partition("/")[0])[0] for name, s in starts.items() if s.slot}
    kind, slots = _TODAY.get(kinds.pop() if len(kinds) == 1 else "", ("", {}))
    known = numbered(source, kept, kind)
    found: dict[str, Weight | None] = {}
    for name, start in starts.items():
        owner = _owner(start, rows)
        if start.slot and owner is not None:
            found[name] = known.get(f"{owner.path}_{slots.get(start.slot)}")
        elif name.rpartition("/")[2] in ("iteration", "iter"):
            found[name] = known.get("iteration")
    return found


def _owner(start: Start, rows: Mapping[str, Row]) -> Weight | None:
    """The array that went to the variable which the slot belongs to."""
    row = rows.get(start.owner) if start.owner is not None else None
    return row.weight if row is not None else None
