"""Layers that another program could have exchanged without a trace in a file of weights.

A file without the architecture tells no activations, and nothing else that a layer does. Two
branches that an Add or Multiply joins, one with a tanh and one with a sigmoid, stand in such a file
as they stand in that of a program that has the activations exchanged: the two files differ in
numbers only, and need opposite matches. The model shows whether it has such layers. Its operators
on data are compared with those of the same network with the layers exchanged: once without what
they do, and once with it. Where they are the same without, and others with it, there are two such
programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tflrepair.weights.evidence import unit_graphs
from tflrepair.weights.evidence.embedding import TooLong, Ways
from tflrepair.weights.evidence.unit_graphs import ACTIVATING, SOURCE, UnitOwner
from tflrepair.weights.types.layer_flow import FlowOp, LayerFlow
from tflrepair.weights.types.layer_names import split_number

_MOST_WAYS = 16
_MOST_STEPS = 10_000  # of all searches of a model
_COMMUTATIVE = frozenset({"ADD", "MUL", "MAXIMUM", "MINIMUM", "ADD_N", "SQUARED_DIFFERENCE"})


class Exchange:
    """Answers for pairs of a model's units, numbered as its owner numbers them."""

    def __init__(self, flow: LayerFlow, owner: UnitOwner, fitting: Mapping[int, set[int]]) -> None:
        """``fitting``: for each unit those whose arrays have the same shapes, itself included."""
        self.flow, self.owner = flow, owner
        graph = unit_graphs.of_model(flow, owner)
        graph.activations, graph.strides = {}, {}
        self.graph = graph
        color = _colors(graph, fitting)
        self.fitting = {
            u: {v for v in vs & graph.seen if color[v] == color[u]}
            for u, vs in fitting.items()
            if u in graph.seen
        }
        self._moved: dict[tuple[int, int], bool] = {}
        self._ids: dict[object, int] = {}
        self._plain: dict[bool, object] = {}
        self._ways = Ways(graph, _MOST_STEPS)

    def leaves_no_trace(self, one: int, two: int) -> bool:
        """Whether exchanging these, and what goes with them, is another program with such a file.

        False as well where the search would take too long.
        """
        pair = min(one, two), max(one, two)
        if pair not in self._moved:
            self._moved[pair] = self._search(*pair)
        return self._moved[pair]

    def _search(self, one: int, two: int) -> bool:
        if two not in self.fitting.get(one, ()) or self._ways.left <= 0:
            return False
        domains = {**self.fitting, one: {two}, two: {one}}
        try:
            for count, found in enumerate(self._ways.of(domains)):
                if count >= _MOST_WAYS:
                    return False
                if self._is_same(found, False):
                    return not self._is_same(found, True)
        except TooLong:
            return False
        return False

    def _is_same(self, moved: Mapping[int, int], fine: bool) -> bool:
        """Whether the model with its layers moved so computes the same.

        Args:
            fine: with what each operator does; else only what takes the results of what.
        """
        if fine not in self._plain:
            self._plain[fine] = self._outputs({u: u for u in self.fitting}, fine)
        return self._plain[fine] == self._outputs(moved, fine)

    def _outputs(self, label: Mapping[int, int], fine: bool) -> object:
        made = _Values(self, label, fine)
        for op in self.flow.ops:
            made.add(op)
        return tuple(made.number.get(t) for t in self.flow.outputs)

    def told(self, op: FlowOp) -> object:
        if self.flow.told is None or op.place < 0:
            return op.kind, op.strides, op.activation
        return self.flow.told(op.place, frozenset(op.inputs))

    def identity(self, thing: object) -> int:
        return self._ids.setdefault(thing, len(self._ids))


def _colors(graph: unit_graphs.UnitGraph, fitting: Mapping[int, set[int]]) -> dict[int, int]:
    """A number for each unit, unequal for those that no exchange can put in each other's place."""
    color = {unit: min(fitting.get(unit, (unit,))) for unit in (*graph.seen, SOURCE)}
    links: dict[int, list[tuple[int, str]]] = {unit: [] for unit in color}
    for kind, pairs in (("feeds", graph.edges), ("before", graph.before)):
        for one, two in pairs:
            links[one].append((two, kind))
            links[two].append((one, f"{kind}, back"))
    for _ in range(len(color)):
        known: dict[object, int] = {}
        new = {
            unit: known.setdefault(
                (color[unit], tuple(sorted((kind, color[v]) for v, kind in links[unit]))),
                len(known),
            )
            for unit in color
        }
        if len(known) == len(set(color.values())):
            break
        color = new
    return color


@dataclass
class _Values:
    """What is in each tensor, as a number: equal where two are computed alike.

    Attributes:
        of_unit: tensor -> (the unit that makes it, what went into that from outside, what it did).
    """

    whole: Exchange
    label: Mapping[int, int]
    fine: bool
    number: dict[int, int] = field(default_factory=dict)
    of_unit: dict[int, tuple[int, frozenset[int], tuple[object, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, tensor in enumerate(sorted(self.whole.flow.inputs)):
            self.number[tensor] = self.whole.identity(("input", place))

    def add(self, op: FlowOp) -> None:
        unit = self.whole.owner.unit(op)
        mine = [t for t in op.inputs if t in self.of_unit and self.of_unit[t][0] == unit]
        if unit is None or unit == SOURCE or (not op.variables and not mine):
            self._work(op)
        else:
            self._layer(op, unit, mine)

    def _layer(self, op: FlowOp, unit: int, mine: Sequence[int]) -> None:
        outside = frozenset(self.number[t] for t in op.inputs if t not in mine)
        outside = outside.union(*(self.of_unit[t][1] for t in mine))
        steps = [step for t in mine for step in self.of_unit[t][2]]
        if self.fine:
            steps.append(self.whole.told(op))
        did = tuple(steps)
        several = len(op.outputs) > 1
        for place, tensor in enumerate(op.outputs):
            key: object = ("layer", self.label.get(unit, unit), outside, did, several and place)
            for _ in range(self._activating(op)):
                key = ("one", self.whole.identity(key))
            self.number[tensor] = self.whole.identity(key)
            self.of_unit[tensor] = unit, outside, did

    def _activating(self, op: FlowOp) -> int:
        """How many layers only activate and became one operator with the layer before them."""
        if self.fine:
            return 0
        found = {scope[:-1] for scope in op.scopes if len(scope) > 1}
        return sum(_class_of(scope[-1]) in ACTIVATING for scope in found)

    def _work(self, op: FlowOp) -> None:
        """An operator that is no part of a unit, such as an Add."""
        takes = [self.number[t] for t in op.inputs]
        used = tuple(sorted(map(self._used, op.variables)))
        if op.kind in _COMMUTATIVE:
            takes.sort()
        what = self.whole.told(op) if self.fine else op.kind if len(takes) > 1 else "one"
        is_plain = not self.fine and not used and len(takes) == 1
        if is_plain and self.whole.owner.is_around(op):
            self.number.update(dict.fromkeys(op.outputs, takes[0]))
            return
        if is_plain:
            key: object = ("one", takes[0])
        else:
            key = ("work", what, tuple(takes), used)
        for place, tensor in enumerate(op.outputs):
            self.number[tensor] = self.whole.identity((key, place) if place else key)

    def _used(self, name: str) -> str:
        unit = self.whole.owner.unit_of(name)
        return name if unit is None else str(self.label.get(unit, unit))


def _class_of(scope: str) -> str:
    """Without Keras's number and that of TensorFlow's behind it."""
    return split_number(split_number(scope)[0])[0]
