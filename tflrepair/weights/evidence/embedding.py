"""In how many ways the graph of a model fits into the graph of a file.

Each unit of the model gets a unit of the file, no two the same one, so that what feeds what, the
order of operands, activations and strides agree. This is subgraph isomorphism; what makes it cheap
is that shapes and names leave few units of the file for each one of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tflrepair.weights.evidence.unit_graphs import MAYBE, SOURCE, SURE, UnitGraph, alike

_MOST_STEPS = 20_000

Domains = dict[int, set[int]]


@dataclass
class Embedding:
    """What the graphs leave.

    Attributes:
        domains: for each unit of the model, the units of the file that it can be in some way of
            fitting everything; empty sets if there is none.
        possible: whether everything fits in some way at all. None if that took too long to find.
    """

    domains: Domains
    possible: bool | None


def embed(model: UnitGraph, file: UnitGraph, domains: Mapping[int, set[int]]) -> Embedding:
    """All ways of fitting, as one set of units for each unit of the model."""
    search = _Search(model, file)
    start = {u: {v for v in vs if alike(model, u, file, v)} for u, vs in domains.items()}
    if not search.prune(start):
        return Embedding({u: set() for u in start}, False)
    sure: Domains = {unit: set() for unit in start}
    try:
        for unit in sorted(start, key=lambda unit: len(start[unit])):
            for choice in sorted(start[unit] - sure[unit]):
                found = search.solve({**start, unit: {choice}})
                if found is None:
                    continue
                for known, value in found.items():
                    sure[known].add(value)
    except TooLong:
        return Embedding(start, None)
    return Embedding(sure, all(sure.values()))


class TooLong(Exception):
    """There are too many ways to try."""


@dataclass
class Ways:
    """Ways in which a graph fits into itself, for several questions with one limit."""

    graph: UnitGraph
    left: int

    def of(self, domains: Mapping[int, set[int]]) -> Iterator[dict[int, int]]:
        """Ways of fitting, one by one; those first that give units their own numbers.

        Raises:
            TooLong: while it goes on.
        """
        search = _Search(self.graph, self.graph, most=self.left)
        try:
            yield from search.ways(domains)
        finally:
            self.left -= search.steps


@dataclass
class _Search:
    model: UnitGraph
    file: UnitGraph
    steps: int = 0
    most: int = _MOST_STEPS
    near: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pairs = [*self.model.edges, *self.model.before]
        for a, b in pairs:
            if SOURCE not in (a, b):
                self.near.setdefault(a, set()).add(b)
                self.near.setdefault(b, set()).add(a)

    def solve(self, domains: Mapping[int, set[int]]) -> dict[int, int] | None:
        """One way of fitting; None if there is none."""
        return next(self.ways(domains), None)

    def ways(self, domains: Mapping[int, set[int]]) -> Iterator[dict[int, int]]:
        now = {unit: set(values) for unit, values in domains.items()}
        if not self.prune(now):
            return
        open_ = [unit for unit, values in now.items() if len(values) > 1]
        if not open_:
            found = {unit: next(iter(values)) for unit, values in now.items()}
            if self._fits(found):
                yield found
            return
        unit = min(open_, key=lambda unit: len(now[unit]))
        for choice in sorted(now[unit], key=lambda choice: (choice != unit, choice)):
            yield from self.ways({**now, unit: {choice}})

    def prune(self, domains: Domains) -> bool:
        """Drop what no neighbour allows, and what is taken. False if a unit has nothing left."""
        todo = set(domains)
        while todo:
            unit = todo.pop()
            self.steps += 1
            if self.steps > self.most:
                raise TooLong
            if not domains[unit]:
                return False
            if len(domains[unit]) == 1:
                (only,) = domains[unit]
                for other, values in domains.items():
                    if other != unit and only in values:
                        values.discard(only)
                        todo.add(other)
            for other in self.near.get(unit, ()):
                if other not in domains:
                    continue
                left = {v for v in domains[other] if self._supported(unit, domains[unit], other, v)}
                if left != domains[other]:
                    domains[other] = left
                    todo.add(other)
        return all(domains.values())

    def _supported(self, unit: int, values: set[int], other: int, value: int) -> bool:
        return any(v != value and self._agree(unit, v, other, value) for v in values)

    def _fits(self, found: Mapping[int, int]) -> bool:
        """Whether all pairs agree, also those without an edge in the model."""
        place = {value: unit for unit, value in found.items()}
        for a, b in [*self.file.edges, *self.file.before]:
            if a in place and b in place and not self._agree(place[a], a, place[b], b):
                return False
        pairs = [p for p in (*self.model.edges, *self.model.before) if not {*p} - set(found)]
        return all(self._agree(a, found[a], b, found[b]) for a, b in pairs)

    def _agree(self, a: int, x: int, b: int, y: int) -> bool:
        """Whether unit a can be x while unit b is y."""
        for one, two in (((a, b), (x, y)), ((b, a), (y, x))):
            mine, its = self.model.edges.get(one, 0), self.file.edges.get(two, 0)
            if MAYBE not in (mine, its) and (mine == SURE) != (its == SURE):
                return False
        mine_ = (a, b) in self.model.before, (b, a) in self.model.before
        its_ = (x, y) in self.file.before, (y, x) in self.file.before
        return not any(mine_) or not any(its_) or mine_ == its_
