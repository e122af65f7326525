"""What an architecture of the evidence benchmark is: two programs, and which weights are the same.

A builder takes the ``keras`` module and ``changed``: False for the program that was trained and
saved its weights, True for the program that was exported. Both name their weights alike in
``parts``, so the truth does not rest on names, numbers or order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Keras = Any
WIDTH = 6


@dataclass
class Made:
    """One program's model.

    Attributes:
        net: what is saved.
        parts: name -> variables, in one order in both programs.
        run: what is exported; called after the weights have their values. Default: ``net``.
        optimizer: what trains it; default: Adam. Kind D compiles the saved model with it, too.
        trained: the variables that the exported training function updates; default: all of net's.
    """

    net: Any
    parts: Mapping[str, Sequence[Any]]
    run: Callable[[], Any] | None = None
    trained: Sequence[Any] | None = None
    shape: tuple[int, ...] = (WIDTH,)
    dtype: str = "float32"
    train: bool = True
    extra: Sequence[Any] = field(default_factory=tuple)
    optimizer: Callable[[Keras], Any] | None = None


Builder = Callable[[Keras, bool], Made]
CASES: dict[str, tuple[str, Builder]] = {}


MODULES = (
    "attributes",
    "branches",
    "custom",
    "optimizers",
    "partial",
    "twins",
    "round",
    "round_training",
    "across",
)


def cases() -> dict[str, tuple[str, Builder]]:
    """All architectures: name -> (kind, builder)."""
    for name in MODULES:
        import_module(f"evidence_{name}")
    return CASES


def case(kind: str) -> Callable[[Builder], Builder]:
    """Register an architecture of one kind of the issue: A, B, C, D, E or S (the same program)."""

    def register(build: Builder) -> Builder:
        CASES[build.__name__] = (kind, build)
        return build

    return register


def parts(**layers: Any) -> dict[str, list[Any]]:
    """The weights of Keras's own layers, in the order in which they made them."""
    return {name: list(layer.weights) for name, layer in layers.items()}


def several(prefix: str, layers: Sequence[Any]) -> dict[str, list[Any]]:
    return {f"{prefix}{i}": list(layer.weights) for i, layer in enumerate(layers)}
