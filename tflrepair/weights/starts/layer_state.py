"""Variables of layers that no file of weights holds, and how Keras starts them.

    rnn_state        what a stateful RNN remembers: zeros (keras/src/layers/rnn/rnn.py,
                     ``_create_state_variables``); without a name before Keras 3.5
    lora_*           low-rank updates: a file holds the kernel with them merged in, and loading sets
                     them to 0 (keras/src/layers/core/dense.py, ``load_own_variables``)
    total, count     of a metric: zeros (keras/src/metrics/reduction_metrics.py)

State of a layer or module of one's own is known by how the model updates it (``selfupdate``):
counters and caches start at 0, as far as anybody knows, and copies as what they copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tflrepair.weights.model_facts.selfupdate import COUNTED, MOVED
from tflrepair.weights.starts import copies
from tflrepair.weights.types.fit import fits
from tflrepair.weights.types.layer_names import split_number, split_path
from tflrepair.weights.types.match_table import Problem, Row
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Source, Target, size_text

_RNN = "keras/src/layers/rnn/rnn.py"
_LORA = "keras/src/layers/core/dense.py"
_METRIC = "keras/src/metrics/reduction_metrics.py"
_LORA_ROLES = ("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b")
_MERGED = (
    "LoRA: the file holds kernels with their updates merged in, as Keras saves them; lora_* start "
    "at 0, as Keras sets them when it loads such a file"
)
_STUCK = ". Where both start at 0, training never changes them"


def never_held(targets: Sequence[Target], sources: Sequence[Source]) -> dict[str, Start]:
    """Starts of variables that Keras writes into no file, by their names."""
    named = {name.removesuffix(":0") for s in sources for w in s.weights for name in w.names}
    roles = {weight.role for source in sources for weight in source.weights}
    names = {target.name for target in targets}
    found = {}
    for target in targets:
        name, (layers, role) = target.name, split_path(target.name)
        if name in named or not layers:
            continue
        base = split_number(role)[0]
        if _is_rnn_state(layers, base, target, targets):
            found[target.shared_name] = _state("an RNN's state starts at 0", _RNN)
        elif role in _LORA_ROLES and role not in roles and sources:
            found[target.shared_name] = _lora(target)
        elif base in ("total", "count") and _is_metric(layers, target, names):
            found[target.shared_name] = _state(f"a metric's {base} starts at 0", _METRIC)
    return found


def _state(reason: str, source: str) -> Start:
    return Start(reason, 0.0, source=source, in_optimizer=False)


def _lora(target: Target) -> Start:
    stuck = _STUCK if target.update else ""
    return Start(
        "0, as Keras sets it when it loads a file, which holds the merged kernel",
        0.0,
        source=_LORA,
        in_optimizer=False,
        assumed=_MERGED + stuck,
        pattern="*/lora_*",
    )


def _is_rnn_state(
    layers: tuple[str, ...], base: str, target: Target, targets: Sequence[Target]
) -> bool:
    if base not in ("rnn_state", "variable") or not target.shape:
        return False
    if base == "rnn_state":
        return True
    units = {
        other.shape[-2]
        for other in targets
        if (path := split_path(other.name))[1] == "recurrent_kernel"
        and path[0][: len(layers)] == layers
        and len(path[0]) > len(layers)
        and other.shape
        and len(other.shape) > 1
    }
    return bool(target.unset_in) and target.shape[-1] in units


def _is_metric(layers: tuple[str, ...], target: Target, names: Iterable[str]) -> bool:
    scope = "/".join(layers)
    both = {f"{scope}/total", f"{scope}/count"}
    return target.shape == () and target.update == COUNTED and both <= set(names)


def of_own(
    targets: Sequence[Target],
    problems: Sequence[Problem],
    rows: Mapping[str, Row],
    sources: Sequence[Source],
) -> dict[str, Start]:
    """Starts of counters, caches and copies among the variables for which nothing was found."""
    names = {target.shared_name: target for target in targets}
    missing = [n for p in problems if p.kind == "missing" for n in p.variables]
    used = {(r.weight.source, r.weight.path) for r in rows.values() if r.weight}
    unused = [w for s in sources for w in s.weights if w.plain and (w.source, w.path) not in used]
    found = copies.followers(targets, missing)
    for name in missing:
        target = names[name]
        if name in found or target.update not in (COUNTED, MOVED) or not sources:
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
