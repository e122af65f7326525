"""The order of branches that nothing but one joining operator tells apart.

``layers`` of a Functional model is sorted by depth, then by the order in which a walk from the
outputs meets the layers (keras/src/ops/function.py, ``map_graph``). Of two layers that feed nothing
but one and the same Add or Concatenate, the one that is its earlier operand comes first. That holds
where no other layer stands between, so a file that lists layers without weights of other kinds
(Dropout leaves no trace in the model) tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tflrepair.weights.evidence import unit_graphs
from tflrepair.weights.evidence.exchange import Exchange
from tflrepair.weights.evidence.merges import KINDS
from tflrepair.weights.matching.question import Question
from tflrepair.weights.matching.topology import Owner, Part
from tflrepair.weights.types.layers import FileLayer
from tflrepair.weights.types.weight import Source


class Joins:
    """Answers in which order two layers of the model are operands."""

    def __init__(self, questions: Sequence[Question], source: Source | None) -> None:
        self.questions = questions
        self.flow = next((t.flow for q in questions for _, t in q.target.targets), None)
        names = source.weightless if source is not None else ()
        bases = {kind for kind, _ in names}
        self.is_clear = bool(bases) and bases <= {*KINDS, "input_layer"}
        self._fixed: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        self._known: dict[tuple[str, ...], dict[tuple[tuple[str, ...], tuple[str, ...]], int]] = {}

    def order(
        self, a: Question, b: Question, mine: FileLayer, other: FileLayer, strict: bool = False
    ) -> int:
        """-1 if ``a`` is the earlier operand, 1 if the later one, 0 if that is not known.

        Args:
            strict: not where the operands could be exchanged, as those of an addition.
        """
        if not self.is_clear or self.flow is None or not mine.keys or not other.keys:
            return 0
        pairs = zip(mine.keys, other.keys, strict=False)
        step = next((n for n, (one, two) in enumerate(pairs) if one != two), None)
        ours, theirs = a.target.names, b.target.names
        if step is None or len(ours) != len(mine.levels) or len(theirs) != len(other.levels):
            return 0
        outer = ours[: step + 1]
        if theirs[: step + 1] != outer:
            return 0
        if outer not in self._known:
            self._known[outer] = self._joined(outer)
        pair = ours[: step + 2], theirs[: step + 2]
        if strict and pair not in self._fixed:
            return 0
        return self._known[outer].get(pair, 0)

    def _joined(self, outer: tuple[str, ...]) -> dict[tuple[tuple[str, ...], tuple[str, ...]], int]:
        """The order of all pairs of layers right inside ``outer`` that one operator joins."""
        parts: dict[tuple[str, ...], Part] = {}
        for question in self.questions:
            chain = question.target.names[: len(outer) + 1]
            if chain[: len(outer)] == outer and len(chain) > len(outer):
                parts.setdefault(chain, Part(len(parts), chain)).questions.append(question)
        if self.flow is None:
            return {}
        graph = unit_graphs.of_model(self.flow, Owner(list(parts.values())))
        chains = {part.index: chain for chain, part in parts.items()}
        found = {}
        for operands in graph.joined:
            units = [next(iter(o)) if len(o) == 1 else None for o in operands]
            for one, a in enumerate(units):
                for two, b in enumerate(units):
                    if one == two or a is None or b is None or a == b or {a, b} & graph.alone:
                        continue
                    if a in chains and b in chains and self._once(graph, a, b):
                        found[chains[a], chains[b]] = -1 if one < two else 1
                        if (a, b) in graph.before or (b, a) in graph.before:
                            self._fixed.add((chains[a], chains[b]))
        return found

    def _once(self, graph: unit_graphs.UnitGraph, a: int, b: int) -> bool:
        """Whether each of the two is an operand of one joining operator only."""
        uses = [unit for operands in graph.joined for o in operands for unit in o]
        return uses.count(a) == uses.count(b) == 1


class Exchanges:
    """Answers whether the file's program could have two layers exchanged (see ``exchange``).

    Args:
        is_fixed: whether something else than the file's order tells which layer a question's is.
    """

    def __init__(self, questions: Sequence[Question], is_fixed: Callable[[Question], bool]) -> None:
        self.questions, self.is_fixed = questions, is_fixed
        self.place = {id(question): n for n, question in enumerate(questions)}
        self._exchange: Exchange | None = None

    def leaves_no_trace(self, a: Question, b: Question) -> bool:
        if self._exchange is None:
            flow = next((t.flow for q in self.questions for _, t in q.target.targets), None)
            if flow is None:
                return False
            parts = [Part(n, q.target.names or ("",), [q]) for n, q in enumerate(self.questions)]
            self._exchange = Exchange(flow, Owner(parts), self._fitting())
        return self._exchange.leaves_no_trace(self.place[id(a)], self.place[id(b)])

    def _fitting(self) -> dict[int, set[int]]:
        """For each layer those that have variables of the same roles and shapes."""
        groups: dict[object, set[int]] = {}
        for place, question in enumerate(self.questions):
            rows = sorted((role, t.shape or (), t.dtype) for role, t in question.target.targets)
            key = place if self.is_fixed(question) else tuple(rows)
            groups.setdefault(key, set()).add(place)
        return {place: group for group in groups.values() for place in group}
