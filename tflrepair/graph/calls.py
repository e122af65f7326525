"""Which subgraph calls which."""

from __future__ import annotations

from tflrepair.graph.model import Model
from tflrepair.graph.options import CALLING, called_subgraphs


class CallGraph:
    """The calls of a model, read once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._targets: dict[int, frozenset[int]] = {}

    def targets(self, subgraph: int) -> frozenset[int]:
        """The subgraphs that operators of ``subgraph`` call.

        Raises:
            BadFileError: there is no such subgraph, or the file is damaged there.
        """
        if subgraph not in self._targets:
            operators = self._model.subgraph(subgraph).operators_of(CALLING)
            self._targets[subgraph] = frozenset(t for o in operators for t in called_subgraphs(o))
        return self._targets[subgraph]

    def reachable(self, subgraph: int) -> list[int]:
        """``subgraph`` and all that a run of it may come to, sorted. Raises as ``targets``."""
        found = {subgraph}
        waiting = [subgraph]
        while waiting:
            new = self.targets(waiting.pop()) - found
            found |= new
            waiting += new
        return sorted(found)
