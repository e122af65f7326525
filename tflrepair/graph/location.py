"""Places in a model."""

from __future__ import annotations

from typing import NamedTuple


class OperatorRef(NamedTuple):
    """An operator: the subgraph's index and the operator's index in it (the runtime's node)."""

    subgraph: int
    operator: int
