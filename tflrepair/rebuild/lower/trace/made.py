"""Which operators of TensorFlow's graph each step became, and which of them have no builtin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tflrepair.graph.location import OperatorRef
from tflrepair.rebuild.lower.trace.types import MAY_VANISH, WITHOUT_BUILTIN

# What depends on sizes alone may be known to the converter.
_SIZES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})


@dataclass(frozen=True)
class Made:
    """``operator`` of a graph, which the step ``name`` at ``site`` became or is part of."""

    operator: Any
    site: OperatorRef
    name: str

    @property
    def kind(self) -> str:
        """The operator's own name, such as AddV2."""
        return str(self.operator.type)

    @property
    def dtype(self) -> str:
        inputs = self.operator.inputs
        return str(inputs[0].dtype.base_dtype.name) if len(inputs) else ""

    @property
    def reason(self) -> str:
        part = "" if self.kind == self.name else f" ({self.kind})"
        return f"no builtin operator takes {self.dtype}{part}"


class Record:
    """What was made, in the order of the steps."""

    def __init__(self) -> None:
        self.rows: list[Made] = []
        self._seen: set[tuple[int, str]] = set()

    def note(self, site: OperatorRef, name: str, inputs: Any, results: Any) -> None:
        """``results`` came from ``inputs``; all that is between the two is the step's."""
        import tensorflow as tf

        ends = {_place(t.op) for t in tf.nest.flatten(inputs) if tf.is_symbolic_tensor(t)}
        waiting = [t.op for t in tf.nest.flatten(results) if tf.is_symbolic_tensor(t)]
        while waiting:
            operator = waiting.pop()
            place = _place(operator)
            if place in ends or place in self._seen:
                continue
            self._seen.add(place)
            self.rows.append(Made(operator, site, name))
            waiting += [tensor.op for tensor in operator.inputs]


def _place(operator: Any) -> tuple[int, str]:
    return id(operator.graph), operator.name


def without_builtin(rows: Iterable[Made], graph: Any, changing: Collection[int]) -> Iterator[Made]:
    """What of ``rows`` the converter surely cannot make a builtin of.

    Only what is computed at run time and used: the rest may be folded or left out.

    Args:
        graph: of the signature; what stands in graphs that it calls is left to the converter.
        changing: ids of the handles of variables that some signature assigns.
    """
    doubtful = [r for r in rows if r.operator.graph is graph and _lacks(r)]
    if not doubtful:
        return
    computed, used = _computed(graph, changing), _used(graph)
    for row in doubtful:
        name = row.operator.name
        sources = [tensor.op.name in computed for tensor in row.operator.inputs]
        if name in used and (all(sources) if row.kind in MAY_VANISH else any(sources)):
            yield row


def _lacks(row: Made) -> bool:
    return row.dtype in WITHOUT_BUILTIN.get(row.kind, ())


def _computed(graph: Any, changing: Collection[int]) -> set[str]:
    """Names of the operators whose values hang on inputs, or on variables that change."""
    captured = {inner.name: outer for outer, inner in graph.captures}
    found = {tensor.op.name for tensor in graph.inputs if tensor.name not in captured}
    handles = {name for name, outer in captured.items() if id(outer) in changing}
    for operator in graph.get_operations():  # each after its inputs
        if operator.type in _SIZES:
            continue
        names = [tensor.name for tensor in operator.inputs]
        read = operator.type == "ReadVariableOp" and not handles.isdisjoint(names)
        if read or any(tensor.op.name in found for tensor in operator.inputs):
            found.add(operator.name)
    return found


def _used(graph: Any) -> set[str]:
    """Names of the operators that outputs and new values of variables hang on."""
    waiting = [tensor.op for tensor in graph.outputs]
    waiting += [op for op in graph.get_operations() if op.type.startswith("Assign")]
    found: set[str] = set()
    while waiting:
        operator = waiting.pop()
        if operator.name in found:
            continue
        found.add(operator.name)
        if operator.type not in _SIZES:
            waiting += [tensor.op for tensor in operator.inputs]
    return found
