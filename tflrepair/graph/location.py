"""Places in a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class OperatorRef:
    """An operator: the subgraph's index and the operator's index in it (the runtime's node)."""

    subgraph: int
    operator: int
