"""Variables of layers that no file of weights holds, and how Keras starts them.

    rnn_state        what a stateful RNN remembers: zeros (keras/src/layers/rnn/rnn.py,
                     ``_create_state_variables``), unless the cell is somebody's own
    lora_*           low-rank updates: a file holds the kernel with them merged in, and loading sets
                     them to 0 (keras/src/layers/core/dense.py, ``load_own_variables``)
    total, count     of a metric: zeros (keras/src/metrics/reduction_metrics.py)

State of a layer or module of one's own is known by how the model updates it (``selfupdate``):
counters and caches start at 0, as far as anybody knows, and copies as what they copy.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tflrepair.weights.model_facts.called import LORA_ROLES
from tflrepair.weights.model_facts.selfupdate import COUNTED, MOVED
from tflrepair.weights.starts import copies
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layer_names import split_number, split_path
from tflrepair.weights.types.match_table import Problem, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.roles import known_roles
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Source, Target, Weight, size_text

ByLayer = Callable[[Mapping[str, Row], Mapping[str, Start]], tuple[dict[str, Row], list[Problem]]]
_RNN = "keras/src/layers/rnn/rnn.py"
_LORA = "keras/src/layers/core/dense.py"
_METRIC = "keras/src/metrics/reduction_metrics.py"
# keras/src/layers/rnn/: lstm.py, gru.py, simple_rnn.py, conv_lstm.py, stacked_rnn_cells.py
_CELLS = frozenset(
    ("lstm_cell", "gru_cell", "simple_rnn_cell", "conv_lstm_cell", "stacked_rnn_cells")
)
_MERGED = (
    "LoRA: the file holds kernels with their updates merged in, as Keras saves them; lora_* start "
    "at 0, as Keras sets them when it loads such a file"
)
_STUCK = ". Where both start at 0, training never changes them"


def never_held(targets: Sequence[Target], sources: Sequence[Source]) -> dict[str, Start]:
    """Starts of variables that Keras writes into no file, by their names."""
    named = {name.removesuffix(":0") for s in sources for w in s.weights for name in w.names}
    names = {target.name for target in targets}
    found = {}
    for target in targets:
        name, (layers, role) = target.name, split_path(target.name)
        if name in named or not layers:
            continue
        base = split_number(role)[0]
        if base == "rnn_state" and target.shape:
            found[target.shared_name] = _rnn_state(layers, names)
        elif base in LORA_ROLES and sources and not _may_hold(target, base, sources):
            found[target.shared_name] = _lora(target)
        elif base in ("total", "count") and _is_metric(layers, target, names):
            reason = f"a metric's {base} starts at 0"
            found[target.shared_name] = Start(reason, 0.0, source=_METRIC, in_optimizer=False)
    return found


def _may_hold(target: Target, role: str, sources: Iterable[Source]) -> bool:
    """Whether a file has the update by itself, not merged: by role, or in a layer that has more
    arrays than Keras's own with LoRA, which are a kernel and a bias."""
    for source in sources:
        layers: dict[object, list[Weight]] = {}
        for weight in source.weights if not source.exact else ():
            layers.setdefault((weight.keys, weight.layer), []).append(weight)
        for weights in layers.values():
            if any(weight.role == role for weight in weights):
                return True
            unnamed = weights[0].plain and not any(weight.role for weight in weights)
            if unnamed and len(weights) > 2 and any(fits(target, weight) for weight in weights):
                return True
    return False


def _lora(target: Target) -> Start:
    stuck = _STUCK if target.update else ""
    return Start(
        "0, as Keras sets it when it loads a file, which holds the merged kernel",
        0.0,
        source=_LORA,
        in_optimizer=False,
        assumed=_MERGED + stuck,
        pattern="*/lora_*_a",
    )


def _rnn_state(layers: tuple[str, ...], names: Iterable[str]) -> Start:
    """Keras's own cells start at zeros; another may have a ``get_initial_state`` of its own."""
    scope = "/".join(layers)
    inside = (name.removeprefix(f"{scope}/") for name in names if name.startswith(f"{scope}/"))
    cells = {split_number(part)[0] for name in inside for part in name.split("/")[:-1]}
    known = bool(cells) and cells <= _CELLS
    return Start(
        "an RNN's state starts at 0",
        0.0,
        source=_RNN,
        in_optimizer=False,
        assumed=""
        if known
        else f"the state of the RNN {scope!r} starts at 0, as with Keras's cells",
        pattern=f"{scope}/rnn_state*",
    )


def _is_metric(layers: tuple[str, ...], target: Target, names: Iterable[str]) -> bool:
    scope = "/".join(layers)
    both = {f"{scope}/total", f"{scope}/count"}
    return target.shape == () and target.update == COUNTED and both <= set(names)


def settled(
    by_layer: ByLayer,
    targets: Sequence[Target],
    sources: Sequence[Source],
    rows: Mapping[str, Row],
    starts: Mapping[str, Start],
) -> tuple[dict[str, Start], dict[str, Row], list[Problem]]:
    """Match by layer, leaving out state and copies of what cannot be matched with them.

    Args:
        by_layer: matches all targets but those with a row or a start.

    Returns:
        All starts, the rows found, and the problems left, with their advice.
    """
    started = dict(starts)
    found, problems = by_layer(rows, started)
    for more in (_of_own, _twins):
        own = more(targets, problems, _unused(sources, {**rows, **found}))
        if own:
            again = {**started, **own}
            rows_again, problems_again = by_layer(rows, again)
            left = _unused(sources, {**rows, **rows_again})
            fitting = any(fits(t, w) for t in targets if t.shared_name in own for w in left)
            if _open(problems_again) < _open(problems) and not fitting:
                started, found, problems = again, rows_again, problems_again
    return started, found, _advised(problems, targets)


def _open(problems: Iterable[Problem]) -> int:
    """Of how many variables the problems are."""
    return sum(len(problem.variables) for problem in problems)


def _unused(sources: Iterable[Source], rows: Mapping[str, Row]) -> list[Weight]:
    used = {(row.weight.source, row.weight.path) for row in rows.values() if row.weight}
    weights = (weight for source in sources for weight in source.weights)
    return [w for w in weights if w.plain and (w.source, w.path) not in used]


def _of_own(
    targets: Sequence[Target], problems: Iterable[Problem], unused: Sequence[Weight]
) -> dict[str, Start]:
    """Starts of counters, caches and copies among the variables for which no array was found."""
    names = {target.shared_name: target for target in targets}
    missing = [n for p in problems if p.kind == "missing" and not p.options for n in p.variables]
    found = copies.followers(targets, missing)
    for name in missing:
        target = names[name]
        if name in found or target.update not in (COUNTED, MOVED):
            continue
        if any(fits(target, weight) for weight in unused):
            continue
        what = "a counter" if target.update == COUNTED else "what is remembered"
        found[name] = Start(
            f"{what} starts at 0, and no file holds it",
            0.0,
            in_optimizer=False,
            assumed=f"{name!r} ({size_text(target.shape)}), which the model itself updates, and "
            "which no file holds, starts at 0",
            pattern=name,
        )
    return found


def _twins(
    targets: Sequence[Target], problems: Iterable[Problem], unused: Sequence[Weight]
) -> dict[str, Start]:
    """Starts of copies that claim the arrays of what they copy: a teacher beside its student."""
    return copies.followers(targets, [n for p in problems for n in p.variables])


def _advised(problems: Iterable[Problem], targets: Sequence[Target]) -> list[Problem]:
    """The same problems; where nothing fits, what is state or a single number has a problem of its
    own, and the advice is to give its start, which no file holds."""
    names = {target.shared_name: target for target in targets}
    found = []
    for problem in problems:
        mine = [names[name] for name in problem.variables]
        if problem.kind != "missing" or problem.options:
            found.append(problem)
            continue
        state = [t for t in mine if _is_state(t)]
        numbers = [t for t in mine if t not in state and t.shape == () and not _is_of_keras(t)]
        rest = tuple(t.shared_name for t in mine if t not in state and t not in numbers)
        found += [_give_start(target) for target in state]
        found += [_give_number(target) for target in numbers]
        if rest:
            found.append(replace(problem, variables=rest))
    return found


def _is_of_keras(target: Target) -> bool:
    return known_roles([split_number(split_path(target.name)[1])[0]])


def _is_state(target: Target) -> bool:
    return bool(target.update) and target.updated is None and not _is_of_keras(target)


def _give_start(target: Target) -> Problem:
    why = "the model itself updates it, so it may be state, which no file holds"
    return _give(target, why, "0", remedy("other-value"))


def _give_number(target: Target) -> Problem:
    readers = ", ".join(f"`{label}`" for label in target.unset_in)
    return _give(target, f"a single number, which {readers} reads", "VALUE", "")


def _give(target: Target, why: str, value: str, more: str) -> Problem:
    name = target.shared_name
    option = f"--set {shlex.quote(f'{name}={value}')}"
    message = f"{name!r} ({size_text(target.shape)}) is in none of the files; {why}"
    return Problem(
        "missing", (name,), message, (), remedy("set", option=option) + more, (), (option,)
    )
