"""Which variables may stand behind each resource tensor, and which operators may touch them.

The opposite question of tflrepair.analysis.flow, which asks what is certainly set: here nothing
that could happen may be missed, since a variable is frozen only if nothing can assign it. So one
set of keys is kept for each tensor, whoever calls its subgraph, until nothing grows any more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tflrepair.analysis.resources import ResourceId, variable_id
from tflrepair.format import schema
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator

_OP = schema.BuiltinOperator


@dataclass
class Handles:
    """What ``trace`` found.

    Attributes:
        read, assigned: variable -> the operators that may read or assign it.
        created: variable -> its VAR_HANDLE operators.
        doubtful: variable -> why it is not known what happens to it: its handle reaches an operator
            that we cannot follow, shares a READ_VARIABLE or ASSIGN_VARIABLE with others, or is
            read into a tensor that something else writes, too.
        unknown: an ASSIGN_VARIABLE whose handle comes from nowhere: it may set any variable.
    """

    read: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    assigned: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    created: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    doubtful: dict[ResourceId, str] = field(default_factory=dict)
    unknown: OperatorRef | None = None


def trace(model: Model) -> Handles:
    """Follow every handle through the model, calls of subgraphs included."""
    return _Trace(model).run()


class _Trace:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.keys: dict[tuple[int, int], set[ResourceId]] = {}
        self.grown = True
        self.writers: Counter[tuple[int, ...]] = Counter()
        self.found = Handles()

    def run(self) -> Handles:
        operators = [o for subgraph in self.model.subgraphs for o in subgraph.operators]
        spreading = [o for o in operators if o.code == _OP.VAR_HANDLE or o.code in _CALLS]
        while self.grown:  # each round adds a key to a tensor, or is the last
            self.grown = False
            for operator in spreading:
                self.spread(operator)
        self.writers = Counter((o.subgraph, t) for o in operators for t in o.outputs)
        self.writers.update((s.index, t) for s in self.model.subgraphs for t in s.inputs)
        for operator in operators:
            self.note(operator)
        for signature in self.model.signatures:
            for name, tensor in signature.outputs:
                for key in self.behind(signature.subgraph, tensor):
                    reason = f"its handle is output {name} of `{signature.key}`"
                    self.found.doubtful.setdefault(key, reason)
        return self.found

    def behind(self, subgraph: int, tensor: int) -> set[ResourceId]:
        return self.keys.get((subgraph, tensor), set())

    def add(self, subgraph: int, tensor: int, keys: set[ResourceId]) -> None:
        known = self.keys.setdefault((subgraph, tensor), set()) if keys else keys
        if not keys <= known:
            known |= keys
            self.grown = True

    def spread(self, operator: Operator) -> None:
        here = operator.subgraph
        if operator.code == _OP.VAR_HANDLE and operator.outputs:
            self.add(here, operator.outputs[0], {variable_id(operator)})
            return
        targets, operands = _calls(operator)
        for target in targets:
            callee = self.model.subgraph(target)
            for tensor, entered in zip(operands, callee.inputs, strict=False):
                self.add(target, entered, self.behind(here, tensor))
            for left, tensor in zip(callee.outputs, operator.outputs, strict=False):
                self.add(here, tensor, self.behind(target, left))
        if operator.code == _OP.WHILE:
            condition, body = targets
            for left, again, asked, tensor, out in zip(
                self.model.subgraph(body).outputs,
                self.model.subgraph(body).inputs,
                self.model.subgraph(condition).inputs,
                operands,
                operator.outputs,
                strict=False,
            ):
                self.add(body, again, self.behind(body, left))
                self.add(condition, asked, self.behind(body, left))
                self.add(here, out, self.behind(here, tensor))

    def note(self, operator: Operator) -> None:
        site = OperatorRef(operator.subgraph, operator.index)
        if operator.code == _OP.VAR_HANDLE:
            self.found.created.setdefault(variable_id(operator), []).append(site)
        followed = len(_calls(operator)[1])  # the last inputs
        lost = operator.inputs[: len(operator.inputs) - followed]
        if operator.code in (_OP.READ_VARIABLE, _OP.ASSIGN_VARIABLE):
            self.access(operator, site)
            lost = operator.inputs[1:]
        for tensor in lost:
            for key in self.behind(operator.subgraph, tensor):
                self.found.doubtful.setdefault(key, f"{operator.name} takes its handle")

    def access(self, operator: Operator, site: OperatorRef) -> None:
        keys = self.behind(operator.subgraph, operator.inputs[0]) if operator.inputs else set()
        assigns = operator.code == _OP.ASSIGN_VARIABLE
        rows = self.found.assigned if assigns else self.found.read
        only = assigns or self.writers[(site.subgraph, *operator.outputs)] == 1
        for key in keys:
            rows.setdefault(key, []).append(site)
            if len(keys) > 1:
                self.found.doubtful.setdefault(key, f"a {operator.name} serves several variables")
            if not only:
                self.found.doubtful.setdefault(key, "it is read into a tensor with other values")
        if not keys and assigns:
            self.found.unknown = self.found.unknown or site


def _calls(operator: Operator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Subgraphs that ``operator`` calls with tensors, and those tensors; nothing for others."""
    if operator.code not in _CALLS:
        return (), ()
    return called_subgraphs(operator), operator.inputs[_CALLS[operator.code] :]


# operators that hand tensors to subgraphs -> the first input that is handed on
_CALLS = {_OP.IF: 1, _OP.WHILE: 0, _OP.CALL: 0}
