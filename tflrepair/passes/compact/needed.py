"""What a model needs: operators, what IF and WHILE hand on, and subgraphs.

An operator is needed if it does more than compute, or if a needed one takes what it gives. What a
WHILE carries is needed if something else than its own next turn depends on it: a converter
leaves counters and handles of frozen weights there, and a runtime copies them in each turn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.options import CALLING, called_subgraphs
from tflrepair.graph.subgraph import Operator, Subgraph

_ROUNDS = 64
_OP = schema.BuiltinOperator
_FIRST = {_OP.IF: 1, _OP.WHILE: 0}  # the first input that is handed on
_HANDLES = (schema.TensorType.RESOURCE, schema.TensorType.VARIANT)
_RANDOM = (
    _OP.RANDOM_UNIFORM, _OP.RANDOM_STANDARD_NORMAL, _OP.MULTINOMIAL,
    _OP.STABLEHLO_RNG_BIT_GENERATOR,
)  # fmt: skip

_ACTING = CALLING | set(_RANDOM)

Gone = frozenset[int]
_NONE: Gone = frozenset()


@dataclass(frozen=True)
class Needed:
    """What stays of a model.

    Attributes:
        operators: subgraph -> its operators that stay, in order. Other subgraphs go.
        ports: (subgraph, operator) -> positions that go of its inputs, and of its outputs.
        ends: subgraph -> positions that go of its inputs, and of its outputs.
    """

    operators: dict[int, tuple[int, ...]]
    ports: dict[tuple[int, int], tuple[Gone, Gone]] = field(default_factory=dict)
    ends: dict[int, tuple[Gone, Gone]] = field(default_factory=dict)

    def of(self, operator: Operator) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The inputs and outputs that an operator keeps."""
        gone = self.ports.get((operator.subgraph, operator.index), (_NONE, _NONE))
        return _without(operator.inputs, gone[0]), _without(operator.outputs, gone[1])

    def around(self, subgraph: Subgraph) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The inputs and outputs that a subgraph keeps."""
        gone = self.ends.get(subgraph.index, (_NONE, _NONE))
        return _without(subgraph.inputs, gone[0]), _without(subgraph.outputs, gone[1])


def _without(tensors: tuple[int, ...], positions: Gone) -> tuple[int, ...]:
    if not positions:
        return tensors
    return tuple(t for n, t in enumerate(tensors) if n not in positions)


def needed(model: Model) -> Needed:
    """Everything is taken for needless that may be, until nothing contradicts it.

    Where each round only finds the next of a long chain, all that is handed on is kept.
    """
    calls = _calls(model)
    states = [_states(graph) for graph in model.subgraphs]
    turn = 0
    while True:
        found = _needed(model, calls, states)
        wrong = [
            (call, position)
            for call in calls
            for position in call.idle
            if _is_used(model, call, position, found[1])
        ]
        if not wrong:  # a loop carries something
            wrong = [(c, 0) for c in calls if c.is_loop and len(c.idle) == len(c.operator.inputs)]
        if not wrong:
            return _reached(model, found[0])
        turn += 1
        if turn > _ROUNDS:  # each round reads the whole model
            wrong = [(call, position) for call in calls for position in call.idle]
        for call, position in wrong:
            call.idle.discard(position)


@dataclass
class _Call:
    """An IF or WHILE that alone calls its subgraphs; ``idle``: what it hands on for nothing."""

    operator: Operator
    called: tuple[int, ...]
    idle: set[int]

    @property
    def is_loop(self) -> bool:
        return self.operator.code == _OP.WHILE


def _has_stablehlo(model: Model) -> bool:
    """Some of these operators call subgraphs in ways of their own: then no call is changed."""
    return any(row.name.startswith("STABLEHLO_") for row in model.operator_codes)


def _calls(model: Model) -> list[_Call]:
    if _has_stablehlo(model):
        return []
    operators = [o for graph in model.subgraphs for o in graph.operators_of(CALLING)]
    callers = Counter(target for o in operators for target in called_subgraphs(o))
    callers.update([0, *(signature.subgraph for signature in model.signatures)])
    found = []
    for operator in operators:
        called = called_subgraphs(operator) if operator.code in _FIRST else ()
        if called and all(callers[target] == 1 for target in called):
            count = len(operator.inputs) - _FIRST[operator.code]
            if _fits(model, operator, called, count):
                found.append(_Call(operator, called, set(range(count))))
    return found


def _fits(model: Model, operator: Operator, called: tuple[int, ...], count: int) -> bool:
    """Whether all that belongs together has as many tensors as are handed on, each its own."""
    ends = [model.subgraph(target).inputs for target in called]
    distinct = all(len(set(inputs)) == len(inputs) for inputs in ends)
    if operator.code == _OP.WHILE:
        ends += [operator.outputs, model.subgraph(called[1]).outputs]
    return distinct and {len(tensors) for tensors in ends} == {count}


def _needed(
    model: Model, calls: list[_Call], states: list[set[int]]
) -> tuple[Needed, list[set[int]]]:
    """What is needed if what ``calls`` call idle is not; and the used tensors of each subgraph.

    ``states``: what operators of each subgraph may change or hold.
    """
    found = Needed({})
    for call in calls:
        if call.idle:
            gone, first = frozenset(call.idle), _FIRST[call.operator.code]
            where = call.operator.subgraph, call.operator.index
            outputs = gone if call.is_loop else _NONE
            found.ports[where] = frozenset(n + first for n in gone), outputs
            for number, target in enumerate(call.called):
                found.ends[target] = gone, gone if call.is_loop and number == 1 else _NONE
    named: dict[int, set[int]] = {}
    for signature in model.signatures:
        rows = named.setdefault(signature.subgraph, set())
        rows.update(tensor for _, tensor in signature.outputs)
    used = []
    for graph, lasting in zip(model.subgraphs, states, strict=True):
        tensors = {*found.around(graph)[1], *named.get(graph.index, ())}
        kept = []
        for operator in reversed(graph.operators):
            taken, given = found.of(operator)
            if _acts(operator, lasting) or not tensors.isdisjoint(given):
                kept.append(operator.index)
                tensors.update(taken)
        found.operators[graph.index] = tuple(reversed(kept))
        used.append(tensors)
    return found, used


def _acts(operator: Operator, states: set[int]) -> bool:
    """Whether it may do more than compute its outputs. A handle alone does nothing."""
    if operator.code == _OP.VAR_HANDLE:
        return False
    if not operator.outputs or operator.is_custom or operator.code in _ACTING:
        return True
    if operator.name.startswith("BUILTIN "):  # newer than our schema
        return True
    return not states.isdisjoint((*operator.inputs, *operator.outputs))


def _states(graph: Subgraph) -> set[int]:
    """The tensors that are handles, or keep their value from one run to the next."""
    slot = schema.Tensor.IS_VARIABLE
    kept = {n for n, table in enumerate(graph.tensor_tables()) if table.scalar(slot, "?")}
    return kept | {n for n, kind in enumerate(graph.tensor_columns.types) if kind in _HANDLES}


def _is_used(model: Model, call: _Call, position: int, used: list[set[int]]) -> bool:
    here = call.operator
    if call.is_loop and here.outputs[position] in used[here.subgraph]:
        return True
    return any(model.subgraph(t).inputs[position] in used[t] for t in call.called)


def _reached(model: Model, found: Needed) -> Needed:
    """Without the subgraphs that no signature leads to, if there are signatures at all.

    Metadata describes subgraphs by their number: where there is such, only the last ones go.
    """
    if not model.signatures or _has_stablehlo(model):
        return found
    queue, reached = [0, *(signature.subgraph for signature in model.signatures)], set[int]()
    while queue:
        index = queue.pop()
        if index not in reached:
            reached.add(index)
            graph = model.subgraph(index)
            for number in found.operators[index]:
                if graph.builtin_codes[number] in CALLING:
                    queue += called_subgraphs(graph.operator(number))
    if any(name == "TFLITE_METADATA" for name, _ in model.metadata):
        reached = set(range(max(reached) + 1))
    operators = {index: rows for index, rows in found.operators.items() if index in reached}
    return Needed(operators, found.ports, found.ends)
