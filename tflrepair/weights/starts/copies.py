"""Variables that start as copies of others: slow weights, averages, teachers.

No file of weights holds them. That one is a copy shows in the graph: every update mixes it with one
other variable and with nothing else (``Target.follows``), ``slow + 0.5 * (weight - slow)`` say,
so it must have begun where that one was. A momentum is mixed with gradients, and is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tflrepair.weights.types.layer_names import split_number, split_path
from tflrepair.weights.types.start import Start
from tflrepair.weights.types.weight import Target

COPY = "copy"  # what --set takes for "each as a copy of the variable that it is named after"
_ASSUMED = "start as copies of the variables that their updates mix into them, not at 0"


def of_unknown(scope: str, rest: str, target: Target, paths: Mapping[str, str]) -> Start:
    """The start of a variable of an optimizer that Keras does not have.

    Args:
        rest: its name behind the optimizer's.
        paths: the part of a slot's name that stands for a variable -> the variable.
    """
    owner, slot = _owner(rest, paths)
    outer = target.shared_name.rpartition("/")[0]
    pattern = f"{outer}/*_{slot}" if slot else target.shared_name
    if owner is not None and target.follows == owner:
        return copy_of(owner, f"the variables {slot!r} of {scope!r}", pattern, slot)
    reason = f"{scope!r} is not a Keras name for an optimizer, so their start is unknown"
    return Start(reason, slot=slot, owner=owner, scope=scope, pattern=pattern)


def copy_of(owner: str, what: str, pattern: str, slot: str = "") -> Start:
    """The start of a variable that begins as a copy of ``owner``, which nobody says in words."""
    return Start(
        f"starts as a copy of {owner}, which its updates mix into it",
        like=owner,
        slot=slot,
        owner=owner,
        in_optimizer=bool(slot),
        assumed=f"{what} {_ASSUMED}",
        pattern=pattern,
    )


def followers(targets: Sequence[Target], wanted: Iterable[str]) -> dict[str, Start]:
    """Starts of those of ``wanted`` that follow another variable and are named after it."""
    names = {target.shared_name: target for target in targets}
    found = {}
    for name in wanted:
        target = names[name]
        owner = names.get(target.follows)
        if owner is not None and owner.shape == target.shape and named_after(target, owner):
            pattern = _alike(target, owner)
            found[name] = copy_of(owner.shared_name, f"variables {pattern!r}", pattern)
    # where each follows the other, which is the copy cannot be told
    return {name: s for name, s in found.items() if found.get(s.like or "", s).like != name}


def _alike(target: Target, owner: Target) -> str:
    """What stands for all that are named so after a variable: ``*_ema`` for ``net_kernel_ema``,
    ``teacher/*`` for ``teacher/dense/kernel``."""
    name = target.shared_name
    for theirs in (owner.name, owner.name.replace("/", "_")):
        before, found, behind = name.partition(theirs)
        if found and (before or behind):
            return f"{before}*{behind}"
    parts, other = name.split("/"), owner.name.split("/")
    while parts and other and parts[-1] == other[-1]:
        parts, other = parts[:-1], other[:-1]
    return "/".join((*parts, "*")) if parts and len(parts) <= name.count("/") else name


def named_after(target: Target, owner: Target) -> bool:
    """Whether the owner's name stands in the variable's, or both end in the same layer and role."""
    mine, theirs = target.name.replace("/", "_"), owner.name.replace("/", "_")
    if mine != theirs and theirs in mine:
        return True
    (layers, role), (other, other_role) = split_path(target.name), split_path(owner.name)
    return role == other_role and bool(layers and other) and layers[-1] == other[-1]


def owners(targets: Sequence[Target], starts: Mapping[str, Start]) -> dict[str, str]:
    """For each variable that is named after another one: that one's shared name."""
    paths: dict[str, str] = {}
    for target in targets:
        paths.setdefault(target.name.replace("/", "_"), target.shared_name)
    found = {}
    for target in targets:
        name = target.shared_name
        known = starts[name].owner if name in starts else None
        owner = known or target.follows or _owner(target.name.replace("/", "_"), paths)[0]
        if owner and owner != name:
            found[name] = owner
    return found


def _owner(rest: str, paths: Mapping[str, str]) -> tuple[str | None, str]:
    """(the variable, the slot) of ``net_dense_kernel_slow``: the longest name that fits."""
    for name in (rest, split_number(rest)[0]):
        for cut in range(len(name) - 1, 0, -1):
            if name[cut] == "_" and name[:cut] in paths:
                return paths[name[:cut]], name[cut + 1 :]
    return None, ""
