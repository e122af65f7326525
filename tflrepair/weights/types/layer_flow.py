"""The operators of a signature on data, as matching compares them with a file's architecture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FlowOp:
    """An operator on data.

    Attributes:
        kind: ``ADD``, ``CONV_2D``, ...
        inputs: the tensors of data that it takes, in order; outputs: what it makes.
        variables: names of the variables whose values it takes, also through arithmetic on them.
        scopes: for each name of its output, the parts between ``/``.
        strides: (height, width) of a convolution.
        activation: Keras's name of the one that the operator is, or ends with; empty for none.
        place: its number in the subgraph, for ``LayerFlow.told``; -1 if there is none.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: frozenset[str]
    scopes: tuple[tuple[str, ...], ...]
    strides: tuple[int, int] | None = None
    activation: str = ""
    place: int = -1


@dataclass(frozen=True)
class LayerFlow:
    """The operators on data of one signature, in execution order.

    Attributes:
        told: gives what an operator does (number, its data inputs), equal for two that do the same.
    """

    inputs: frozenset[int]
    outputs: tuple[int, ...]
    ops: tuple[FlowOp, ...]
    told: Callable[[int, frozenset[int]], object] | None = field(
        default=None, repr=False, compare=False
    )
