"""Loops whose condition cannot change: they never begin, or never end.

The condition of a WHILE depends on what its subgraph's operators take in. Where that is constants,
and loop variables that the body hands on as they came, it is the same at each turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import TflRepairError
from tflrepair.format import schema
from tflrepair.graph.options import CALLING, called_subgraphs
from tflrepair.graph.subgraph import CUSTOM, Subgraph

_OP = schema.BuiltinOperator
_LOOPS = (_OP.WHILE, _OP.STABLEHLO_WHILE)
_ALWAYS = (_OP.CALL, _OP.CALL_ONCE)  # what they call runs whenever they do
# what may answer otherwise at the next turn without being given anything else
_UNSTEADY = CALLING | {
    CUSTOM, _OP.READ_VARIABLE, _OP.VAR_HANDLE, _OP.HASHTABLE, _OP.HASHTABLE_FIND,
    _OP.HASHTABLE_SIZE, _OP.RANDOM_UNIFORM, _OP.RANDOM_STANDARD_NORMAL, _OP.MULTINOMIAL,
    _OP.STABLEHLO_RNG_BIT_GENERATOR, _OP.STABLEHLO_CUSTOM_CALL,
}  # fmt: skip


@dataclass(frozen=True)
class StuckLoop:
    """A WHILE whose condition is the same at each turn.

    Attributes:
        endless: the condition is a constant that is true. Otherwise what it is shows at its first
            turn, after which the loop is left or goes on for ever.
    """

    subgraph: int
    operator: int
    name: str
    endless: bool

    @property
    def place(self) -> str:
        return f"operator {self.operator} ({self.name}) of subgraph {self.subgraph}"


def stuck_loops(context: AnalysisContext) -> tuple[StuckLoop, ...]:
    """All of a model, for ``context.once``."""
    return tuple(_stuck(context))


def endless_loop(context: AnalysisContext, entry: int) -> StuckLoop | None:
    """One that a run of subgraph ``entry`` always comes to, if there is one."""
    endless = {row.subgraph: row for row in context.once(stuck_loops) if row.endless}
    waiting, seen = [entry], {entry}
    while waiting and endless:
        number = waiting.pop()
        if number in endless:
            return endless[number]
        subgraph = context.model.subgraph(number)
        for place, code in enumerate(subgraph.builtin_codes):
            if code in _ALWAYS:
                called = set(called_subgraphs(subgraph.operator(place))) - seen
                waiting += called
                seen |= called
    return None


def _stuck(context: AnalysisContext) -> Iterator[StuckLoop]:
    known: dict[int, frozenset[int] | bool | None] = {}
    for subgraph in context.model.subgraphs:
        for number, code in enumerate(subgraph.builtin_codes):
            if code not in _LOOPS:
                continue
            operator = subgraph.operator(number)
            called = called_subgraphs(operator)
            if len(called) != 2:
                continue
            if called[0] not in known:
                known[called[0]] = _decided_by(context.model.subgraph(called[0]))
            by, body = known[called[0]], context.model.subgraph(called[1])
            if by is True or (by and _hands_on(body, by)):
                yield StuckLoop(subgraph.index, number, operator.name, by is True)


def _hands_on(body: Subgraph, positions: frozenset[int]) -> bool:
    """Whether a body gives these of its inputs back as they came."""
    most = min(len(body.inputs), len(body.outputs))
    return all(at < most and body.inputs[at] == body.outputs[at] for at in positions)


def _decided_by(condition: Subgraph) -> frozenset[int] | bool | None:
    """Which inputs decide on a condition; its value if it is a constant.

    None where something else decides, or where it is computed of constants alone.
    """
    if len(condition.outputs) != 1:
        return None
    columns, codes = condition.operator_columns, condition.builtin_codes
    made_by = {out: number for number, outs in enumerate(columns.outputs) for out in outs}
    place = {tensor: at for at, tensor in enumerate(condition.inputs)}
    (result,) = condition.outputs
    if result not in made_by and result not in place:
        return _truth(condition, result)
    waiting, seen, found = [result], {result}, set()
    while waiting:
        tensor = waiting.pop()
        if tensor in place:
            found.add(place[tensor])
        elif tensor in made_by:
            if codes[made_by[tensor]] in _UNSTEADY:
                return None
            more = {t for t in columns.inputs[made_by[tensor]] if t >= 0} - seen
            waiting += more
            seen |= more
    return frozenset(found) or None


def _truth(condition: Subgraph, tensor: int) -> bool | None:
    """The value of a constant of one element; None if it has none in the file."""
    try:
        values = condition.tensor(tensor).numpy()
    except TflRepairError:
        return None
    return bool(values.reshape(-1)[0]) if values.size == 1 else None
