"""What a caller of ``fix`` may ask for, grouped by what it is about. See ``fix`` for each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tflrepair.rebuild.requests import NoFlex, Origin

GRAFT, OPTIMIZE, REBUILD = "graft", "optimize", "rebuild"
STRATEGIES = (GRAFT, OPTIMIZE, REBUILD)

PathLike = str | os.PathLike[str]
# One source of weights (a path, a dict of arrays, a live model), or a list or tuple of them
Weights = PathLike | Mapping[str, object] | Sequence[object] | object
Check = tuple[PathLike, PathLike]


def listed(weights: Weights) -> Sequence[object]:
    """One source of weights or many, as a sequence."""
    return weights if isinstance(weights, list | tuple) else (weights,)


def sources_of(weights: Weights, origin: Origin) -> tuple[Sequence[object], bool]:
    """The sources of weights, and whether they are others than the origin's own."""
    sources = listed(weights)
    if origin.saved_model is None:
        return sources, bool(sources)
    own = os.fspath(origin.saved_model)
    return sources or (own,), any(
        not isinstance(source, str | os.PathLike) or os.fspath(source) != own for source in sources
    )


@dataclass(frozen=True)
class MatchOptions:
    """How values are found for variables.

    Attributes:
        mapping, sets, replace, by_name, rounds, rate: see ``fix``.
        accept: names of doubts that are accepted (``weights/types/acceptable.py``).
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str | float] = field(default_factory=dict)
    replace: bool = False
    by_name: bool = False
    rounds: bool = False
    rate: float | str | None = None
    accept: tuple[str, ...] = ()


@dataclass(frozen=True)
class RepairOptions:
    """What is done with the model once its variables have values."""

    strategy: str = GRAFT
    freeze: bool = False
    origin: Origin = field(default_factory=Origin)
    no_flex: NoFlex | None = None


@dataclass(frozen=True)
class Acceptance:
    """What the result must show before it gets its name.

    Attributes:
        check: (inputs, expected outputs), each an .npz file.
        run: whether the result is run at all.
    """

    check: Check | None = None
    run: bool = True


@dataclass(frozen=True)
class OutputOptions:
    """What is written, and where."""

    out: PathLike | None = None
    map_out: PathLike | None = None
    dry_run: bool = False
    force: bool = False
