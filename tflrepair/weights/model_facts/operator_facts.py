"""What an operator does, apart from the data that it takes: to tell whether two do the same."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.format import schema
from tflrepair.graph.contents import digest
from tflrepair.graph.model import Model
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.views.options import SUBGRAPH_FIELDS, options

_DEEPEST = 20
_VARIABLE = frozenset(
    (schema.BuiltinOperator.VAR_HANDLE, schema.BuiltinOperator.READ_VARIABLE)
)  # fmt: skip


class OperatorFacts:
    """Answers for the operators of one subgraph; what was asked once is kept."""

    def __init__(self, model: Model, graph: Subgraph) -> None:
        self.model, self.graph = model, graph
        self._known: dict[int, object] = {}
        self._makes: dict[int, int] | None = None

    def __call__(self, place: int, data: frozenset[int]) -> object:
        """What operator number ``place`` does; equal for two that do the same.

        Args:
            data: the tensors that it takes which are data, not constants or made of variables.

        Raises:
            BadFileError: the model is damaged.
        """
        if place not in self._known:
            self._known[place] = self._facts(self.graph, place, data, 0)
        return self._known[place]

    def _facts(self, graph: Subgraph, place: int, data: frozenset[int], depth: int) -> object:
        op = graph.operators[place]
        if op.code in _VARIABLE:
            return "variable"
        found: list[object] = [op.name, self._options(op)]
        for tensor in op.inputs:
            found.append("data" if tensor in data else self._constant(graph, tensor, depth))
        if depth < _DEEPEST:
            bodies = [self.model.subgraph(number) for number in called_subgraphs(op)]
            found += [tuple(self._body(body, depth + 1)) for body in bodies]
        return tuple(found)

    def _options(self, op: Operator) -> str:
        told = options(self.model, op)
        rest = {k: v for k, v in told.values.items() if k not in SUBGRAPH_FIELDS}
        return f"{told.kind} {sorted(rest.items(), key=lambda row: row[0])}"

    def _constant(self, graph: Subgraph, tensor: int, depth: int) -> object:
        """A constant by its bytes; what is made of variables and constants by how it is made."""
        if tensor < 0:
            return "none"
        row = graph.tensor(tensor)
        if self.model.buffer(row.buffer).length:
            return row.dtype, row.shape, digest(self.model, row.buffer)
        maker = self._maker(tensor) if graph is self.graph else None
        if maker is None or depth >= _DEEPEST:
            return row.dtype, row.shape
        return self._facts(graph, maker, frozenset(), depth + 1)

    def _maker(self, tensor: int) -> int | None:
        if self._makes is None:
            ops = enumerate(self.graph.operators)
            self._makes = {out: place for place, op in ops for out in op.outputs}
        return self._makes.get(tensor)

    def _body(self, graph: Subgraph, depth: int) -> Iterator[object]:
        """The operators of a subgraph, with tensors by their place in it."""
        known: dict[int, int] = {t: n for n, t in enumerate(graph.inputs)}
        for place, op in enumerate(graph.operators):
            takes = tuple(known.get(t, -1) for t in op.inputs)
            yield takes, self._facts(graph, place, frozenset(known), depth)
            for out in op.outputs:
                known.setdefault(out, len(known))
        yield tuple(known.get(t, -1) for t in graph.outputs)
