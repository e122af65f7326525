"""Candidates that the file's architecture rules out, compared with the model's graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tflrepair.weights.evidence import unit_graphs
from tflrepair.weights.evidence.embedding import Embedding, embed
from tflrepair.weights.evidence.unit_graphs import ACTIVATING, SOURCE
from tflrepair.weights.matching.question import Question, keep
from tflrepair.weights.types.acceptable import ADDED_ACTIVATION
from tflrepair.weights.types.architecture import Architecture
from tflrepair.weights.types.layer_flow import FlowOp
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer

GRAPH = "graph"
OTHER = "the file's architecture is not the model's: its layers are called in another way"


class _File:
    """The units of the architecture, and the layers of weights that are (in) them.

    Attributes:
        number: ``id`` of a layer -> its unit.
        depth: ``id`` of a layer -> steps below its unit.
    """

    def __init__(self, found: Architecture) -> None:
        self.number: dict[int, int] = {}
        self.depth: dict[int, int] = {}
        self._paths = {unit.path: n for n, unit in enumerate(found.units)}
        self._names = {unit.names: n for n, unit in enumerate(found.units)}
        self._is_sure = len(self._names) == len(found.units)

    def add(self, layer: FileLayer) -> bool:
        """Find the layer's unit; False if it has none."""
        steps = layer.keys or layer.names
        for length in range(len(steps), 0, -1):
            if layer.keys:
                unit = self._paths.get("/".join(steps[:length]))
            else:
                unit = self._by_names(steps[:length])
            if unit is not None:
                self.number[id(layer)], self.depth[id(layer)] = unit, len(steps) - length
                return True
        return False

    def _by_names(self, steps: Sequence[str]) -> int | None:
        """The outermost layer's name stands in front, perhaps behind that of the whole model."""
        found = (self._names.get((first, steps[-1])) for first in steps)
        return next((unit for unit in found if unit is not None), None) if self._is_sure else None


def by_graph(
    questions: Sequence[Question],
    layers: Sequence[FileLayer],
    found: Architecture | None,
    frozen: Collection[int],
) -> bool:
    """Keep the candidates that the graph allows; says whether there was anything to compare.

    A layer that is left with one unit of the file is proved. Where nothing fits, all layers
    that could have been matched are in conflict.
    """
    flow = next((t.flow for q in questions for _, t in q.target.targets), None)
    if found is None or flow is None:
        return False
    file = _File(found)
    if not all(file.add(layer) for layer in layers):
        return False
    units = _units(questions, file)
    if units is None:
        return False
    of_model = unit_graphs.of_model(flow, Owner(units))
    weighted = set(file.number.values())
    constant = {file.number[id(layer)] for layer in layers if id(layer) in frozen}
    of_file = unit_graphs.of_file(found, lambda u: u if u in weighted else None, constant)
    seen = [unit for unit in units if unit.index in of_model.seen]
    domains = {unit.index: unit.domain(file) for unit in seen}
    if not domains:
        return False
    if len(domains) == len(weighted - constant):
        _from_the_start(domains, of_model, of_file)
    activating = any(unit.class_name in ACTIVATING for unit in found.units)
    result = _fitted(of_model, of_file, domains, activating)
    unused = weighted - {v for values in result.domains.values() for v in values}
    for unit in seen:
        left = result.domains[unit.index]
        near = _beside(of_file, left, unused)
        ends = {unit_graphs.ends_otherwise(of_model, unit.index, of_file, v) for v in left}
        added = "" if activating or "" in ends or not ends else min(ends)
        for question in unit.questions:
            if result.possible is False:
                question.conflict = OTHER
            elif result.possible:
                inside = frozenset(key for key, number in file.number.items() if number in left)
                keep(question, [c for c in question.candidates if id(c.layer) in inside], GRAPH)
                if added and len(question.fitting) > 1:
                    question.doubts[ADDED_ACTIVATION] = added
                question.unit = inside if len(left) == 1 else frozenset()
                question.beside = frozenset(
                    k for k, number in file.number.items() if number in near
                )
    return True


def _fitted(
    model: unit_graphs.UnitGraph,
    file: unit_graphs.UnitGraph,
    domains: dict[int, set[int]],
    activating: bool,
) -> Embedding:
    """All ways of fitting: with the same ends, if there is one, else with any."""
    if not activating:
        alike = {
            u: {v for v in vs if not unit_graphs.ends_otherwise(model, u, file, v)} or vs
            for u, vs in domains.items()
        }
        if alike != domains and (result := embed(model, file, alike)).possible:
            return result
    return embed(model, file, domains)


def _beside(graph: unit_graphs.UnitGraph, units: Collection[int], unused: set[int]) -> set[int]:
    """The unused units that are linked to these through nothing but unused ones.

    A program that lacks one of two layers alike in a row may have kept either.
    """
    found, todo = set[int](), set(units)
    while todo:
        unit = todo.pop()
        linked = {a if b == unit else b for a, b in graph.edges if unit in (a, b)}
        new = linked & unused - found
        found |= new
        todo |= new
    return found


def _from_the_start(
    domains: dict[int, set[int]],
    model: unit_graphs.UnitGraph,
    file: unit_graphs.UnitGraph,
) -> None:
    """What takes the inputs in the model takes them in the file, if both are whole."""
    for unit, values in domains.items():
        mine = model.edges.get((SOURCE, unit))
        domains[unit] = {
            v
            for v in values
            if unit_graphs.MAYBE in (mine, file.edges.get((SOURCE, v)))
            or mine == file.edges.get((SOURCE, v))
        }


@dataclass
class Part:
    """Layers of the model that are one unit of the file."""

    index: int
    chain: tuple[str, ...]
    questions: list[Question] = field(default_factory=list)

    def domain(self, file: _File) -> set[int]:
        able = [{file.number[id(c.layer)] for c in q.candidates} for q in self.questions]
        return set.intersection(*able)


def _units(questions: Sequence[Question], file: _File) -> list[Part] | None:
    """The units of the model; None if it does not show which layers are one."""
    units: dict[tuple[str, ...], Part] = {}
    for question in questions:
        depths = {file.depth[id(c.layer)] for c in question.candidates}
        if not depths:
            continue
        depth = min(depths)
        names = question.target.names
        if len(depths) > 1 or len(names) <= depth:
            return None
        chain = names[: len(names) - depth]
        units.setdefault(chain, Part(len(units), chain)).questions.append(question)
    return list(units.values())


class Owner:
    """Of which unit an operator is part: by the variables that it takes, else by its scope."""

    def __init__(self, units: Sequence[Part]) -> None:
        self.by_name: dict[str, int] = {}
        self.by_scope: dict[tuple[str, ...], int] = {}
        for unit in units:
            for question in unit.questions:
                for _, target in question.target.targets:
                    self.by_name[target.shared_name] = unit.index
                    for name in target.read_as:
                        prefix = _prefix(name, unit.chain)
                        if prefix:
                            self.by_scope[prefix] = unit.index
        self.deepest = max(map(len, self.by_scope), default=0)
        self._around = {scope[:n] for scope in self.by_scope for n in range(2, len(scope))}

    def is_around(self, op: FlowOp) -> bool:
        return not self._around.isdisjoint(scope[:-1] for scope in op.scopes)

    def unit_of(self, variable: str) -> int | None:
        return self.by_name.get(variable)

    def unit(self, op: FlowOp) -> int | None:
        known = {self.by_name[name] for name in op.variables if name in self.by_name}
        if known:
            return min(known) if len(known) == 1 else SOURCE
        found = [unit for unit in map(self._scope, op.scopes) if unit is not None]
        return found[0] if found else SOURCE if op.variables else None

    def scopes(self, op: FlowOp, unit: int) -> list[tuple[str, ...]]:
        return [scope for scope in op.scopes if self._scope(scope) == unit]

    def _scope(self, scope: tuple[str, ...]) -> int | None:
        for length in range(min(self.deepest, len(scope) - 1), 0, -1):
            if scope[:length] in self.by_scope:
                return self.by_scope[scope[:length]]
        return None


def _prefix(name: str, chain: Sequence[str]) -> tuple[str, ...]:
    """The scopes down to a unit in the name of a tensor that one of its variables is read into."""
    parts = tuple(name.split(";")[0].split("/"))
    ends = [i for i, part in enumerate(parts) if split_number(part)[0] == chain[-1]]
    return parts[: ends[0] + 1] if ends and parts[0] != "gradient_tape" else ()
