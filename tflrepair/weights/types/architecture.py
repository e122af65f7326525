"""The architecture that a whole-model file holds: its layers and how they are called."""

from __future__ import annotations

from dataclasses import dataclass, field

INPUT = -1  # stands for whatever goes into the outermost model


@dataclass(frozen=True)
class Unit:
    """A layer, as the outermost models know it; it may have layers inside.

    Attributes:
        path: its place in a Keras 3 weights file (``layers/functional/layers/dense_1``).
        names: the outermost model's layer that it is (in), and its own name.
        activation: name of the activation that it has, or is; None if it is something else than a
            name.
        strides: (height, width) of a convolution.
        backwards: whether a recurrent layer goes over its input from the end; None for others.
    """

    path: str
    names: tuple[str, str]
    class_name: str
    activation: str | None
    strides: tuple[int, int] | None
    backwards: bool | None = None


@dataclass(frozen=True)
class Call:
    """One call of a layer: index of the unit, and for each operand the calls that it comes from."""

    unit: int
    operands: tuple[int, ...]


@dataclass
class Architecture:
    """Layers and their calls, each call behind those that it takes something from."""

    units: list[Unit] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
