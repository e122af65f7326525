"""Which variables belong to an optimizer or a random generator, and how they start.

Keras 3 calls a slot ``<optimizer>/<variable's path with _ for />_<slot>``
(keras/src/optimizers/base_optimizer.py, ``add_variable_from_reference``). An optimizer that an
outer one builds when it is first called stands inside the outer one's scope, with a number for each
time that it was entered: ``loss_scale_optimizer/adam_3/net_dense_kernel_velocity``. A slot's start
is known only under the name of an optimizer that Keras has: two optimizers give one slot name
different starts (``momentum`` is 0 in Adam, the variable's own value in ScheduleFreeAdamW).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tflrepair.weights.optimizers import keras2
from tflrepair.weights.optimizers.keras2 import Scalar, Slot
from tflrepair.weights.optimizers.keras3 import BASE, LIKE_VARIABLE, OPTIMIZERS, Optimizer, kind_of
from tflrepair.weights.starts import copies
from tflrepair.weights.types import optimizer_config
from tflrepair.weights.types.layer_names import snake_case, split_number
from tflrepair.weights.types.start import NO_RATE, Start
from tflrepair.weights.types.weight import Source, Target

_SEED = "keras/src/random/seed_generator.py"
_SEED_ASSUMED = "random generators start from the seed 0; Keras draws one, or takes it as seed="


def starts(targets: Sequence[Target], sources: Sequence[Source] = ()) -> dict[str, Start]:
    """For each target that belongs to an optimizer or a random generator: how it starts.

    Args:
        sources: files whose configs may tell which optimizer it is that has a name of its own.
    """
    names = {target.shared_name: target for target in targets}
    scopes = _scopes(target.name for target in targets)
    entered = _entered((target.name for target in targets), scopes)
    paths = _paths(targets)
    found = {}
    for name, target in names.items():
        *outer, rest = target.name.split("/")
        inside = bool(outer) and all(_is_scope(part, scopes) for part in outer)
        if inside and rest:
            scope = outer[-1] if outer[-1] in scopes else split_number(outer[-1])[0]
            kind = kind_of(scope) or optimizer_config.kind_called(scope, sources)
            start = _in_scope(scope, kind, rest, target, paths)
            found[name] = replace(start, pattern=_numbered(start.pattern, outer, entered))
        elif rest == "seed_generator_state" and target.shape == (2,):
            found[name] = _seed()
        elif _is_nadam_product(target, names):
            found[name] = _nadam_product()
    for name, row in keras2.recognise(targets).items():
        found.setdefault(name, _of_keras2(name, row, names))
    return found


def _entered(names: Iterable[str], scopes: set[str]) -> set[str]:
    """The scopes of optimizers that were entered several times, without the numbers."""
    parts = {part for name in names for part in name.split("/")[:-1]}
    return {split_number(part)[0] for part in parts - scopes} & scopes


def _numbered(pattern: str, outer: Sequence[str], entered: set[str]) -> str:
    """The pattern of a slot for all slots like it, whose scope has a number for each entering."""
    scope = "/".join(outer)
    if not pattern.startswith(f"{scope}/*"):
        return pattern
    bases = [(part, split_number(part)[0]) for part in outer]
    parts = [f"{base}*" if base in entered else part for part, base in bases]
    return f"{'/'.join(parts)}{pattern.removeprefix(scope)}"


def _paths(targets: Iterable[Target]) -> dict[str, str]:
    """The part of a slot's name that stands for its variable -> the variable; only clear ones."""
    found: dict[str, list[str]] = {}
    for target in targets:
        found.setdefault(target.name.replace("/", "_"), []).append(target.shared_name)
    return {path: names[0] for path, names in found.items() if len(names) == 1}


def _seed() -> Start:
    reason = "state of a random generator; Keras draws its seed at random"
    pattern = "*seed_generator_state"
    return Start(
        reason, 0.0, source=_SEED, in_optimizer=False, assumed=_SEED_ASSUMED, pattern=pattern
    )


def _of_keras2(name: str, row: Slot | Scalar, names: Mapping[str, Target]) -> Start:
    if isinstance(row, Scalar):
        return Start(
            row.reason,
            value=row.value,
            source=row.source,
            keras2=True,
            kind=row.kind,
            argument=row.argument,
            pattern=name,
        )
    owner = row.owner if row.owner in names else None
    if row.value is None and owner is None:
        return Start(f"{row.slot} starts as a copy of {row.owner!r}, which is not there")
    copy = row.value is None
    return Start(
        f"{row.slot} starts as a copy of {owner}"
        if copy
        else f"{row.slot} starts at {row.value:g}",
        row.value,
        like=owner if copy else None,
        source=row.source,
        slot=row.slot,
        owner=owner,
        keras2=True,
        kind=snake_case(row.kind),
        argument=row.argument,
        pattern=row.pattern,
    )


def _scopes(names: Iterable[str]) -> set[str]:
    """Parts of names under which an optimizer keeps its step counter or other scalars."""
    kept: dict[str, set[str]] = {}
    for name in names:
        *outer, rest = name.split("/")
        if outer:
            kept.setdefault(outer[-1], set()).add(rest)
    return {
        scope
        for scope, rests in kept.items()
        if "iteration" in rests
        or ("learning_rate" in rests and kind_of(scope))
        or {"step_counter", "dynamic_scale"} <= rests
    }


def _is_scope(part: str, scopes: Iterable[str]) -> bool:
    return part in scopes or split_number(part)[0] in scopes


def _in_scope(scope: str, kind: str, rest: str, target: Target, paths: Mapping[str, str]) -> Start:
    optimizer = OPTIMIZERS.get(kind)
    base = split_number(scope)[0]
    if rest == "iteration":
        return Start("the step counter starts at 0", value=0.0, source=BASE, scope=base, kind=kind)
    if optimizer is not None and rest in optimizer.scalars:
        value = optimizer.scalars[rest]
        return Start(
            f"{rest} starts at {value:g}",
            value=value,
            source=optimizer.source,
            kind=kind,
            scope=base,
            argument=optimizer.arguments.get(rest, ""),
            pattern=target.shared_name,
        )
    if rest == "learning_rate":
        return Start(NO_RATE, kind=kind, scope=base, argument=rest, pattern=target.shared_name)
    # TensorFlow makes the second of two equal names unique by a number
    if optimizer is not None:
        for name in (rest, split_number(rest)[0]):
            for slot in sorted(optimizer.slots, key=len, reverse=True):
                if name.endswith(f"_{slot}"):
                    path = name.removesuffix(f"_{slot}")
                    return _slot(optimizer, kind, base, slot, paths.get(path), target)
    if kind == "nadam" and split_number(rest)[0] == "variable" and target.shape == ():
        return _nadam_product()
    if kind == "adafactor" and optimizer is not None:
        # its row and column averages carry the last part of their variable's name
        return Start("an average starts at 0", value=0.0, source=optimizer.source)
    return copies.of_unknown(scope, rest, target, paths)


def _slot(
    optimizer: Optimizer, kind: str, scope: str, slot: str, owner: str | None, target: Target
) -> Start:
    value = optimizer.slots[slot]
    if value == LIKE_VARIABLE and owner is None:
        return Start(f"{slot} starts as a copy of its variable, but it is unclear which one")
    outer = target.shared_name.rpartition("/")[0]
    copy = value == LIKE_VARIABLE
    return Start(
        f"{slot} starts as a copy of {owner}" if copy else f"{slot} starts at {value:g}",
        None if copy else value,
        like=owner if copy else None,
        source=optimizer.source,
        slot=slot,
        owner=owner,
        kind=kind,
        scope=scope,
        argument=optimizer.arguments.get(slot, ""),
        pattern=f"{outer}/*_{slot}",
    )


def _nadam_product() -> Start:
    reason = "Nadam's running product starts at 1"
    return Start(reason, value=1.0, source=OPTIMIZERS["nadam"].source)


def _is_nadam_product(target: Target, names: Iterable[str]) -> bool:
    """Keras gives Nadam's product no name of its own: it is called ``variable``, ``variable_1``."""
    if target.shape != () or split_number(target.shared_name)[0] != "variable":
        return False
    scalars = [name for name in names if split_number(name)[0] == "variable"]
    return len(scalars) == 1 and any(split_number(s)[0] == "nadam" for s in _scopes(names))
