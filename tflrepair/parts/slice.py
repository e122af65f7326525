"""What some outputs need: operators, called subgraphs, and the variables that they touch.

An operator is kept if a kept one needs its output, or if it may set a resource that a kept later
one may read. Where it cannot be told which resource (a handle that is passed into a subgraph or
comes from a custom operator), every operator that sets one is kept: too much runs right, too
little does not. Initializers (CALL_ONCE) keep what sets the variables that are still there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflrepair.errors import UserError
from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.views.options import called_subgraphs, options
from tflrepair.views.tensors import CONSTANT, INPUT, SubgraphView

_OP = schema.BuiltinOperator
_SETS = (_OP.ASSIGN_VARIABLE, _OP.HASHTABLE_IMPORT)
_READS = (_OP.READ_VARIABLE, _OP.HASHTABLE_FIND, _OP.HASHTABLE_SIZE)
_HANDLES = ("resource", "variant")

# The identity of a resource as its handle's operator tells it; None: any resource.
_Resource = tuple[str, str] | None


@dataclass(frozen=True)
class Slice:
    """What is kept.

    Attributes:
        operators: subgraph -> indices of its kept operators, in order. The entry comes first.
        inputs, outputs: tensors of the entry.
    """

    entry: int
    operators: dict[int, tuple[int, ...]]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Slicer:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.views = tuple(SubgraphView(model, n) for n in range(len(model.subgraphs)))
        self._called: dict[int, dict[int, tuple[int, ...]]] = {}

    def whole(self, entry: int, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Slice:
        """All operators of ``entry``."""
        count = self.views[entry].subgraph.operator_count
        return self._close(entry, tuple(range(count)), inputs, outputs)

    def back_from(self, entry: int, outputs: tuple[int, ...]) -> Slice:
        """The operators of ``entry`` that ``outputs`` need.

        Raises:
            UserError: an output is no value that an operator computes.
        """
        view = self.views[entry]
        for tensor in outputs:
            role, row = view.tensor(tensor).role, view.subgraph.tensor(tensor)
            if role in (CONSTANT, INPUT) or row.dtype in _HANDLES or tensor not in view.makers:
                what = role if row.dtype not in _HANDLES else row.dtype
                raise UserError(
                    f"tensor {row.name!r} is not computed by an operator ({what})",
                    hint="name the output of an operator; `tflrepair show` says what makes it",
                )
        kept = self._needed(view, outputs)
        used = {t for n in kept for t in view.operator(n).inputs}
        inputs = tuple(t for t in view.subgraph.inputs if t in used)
        return self._close(entry, kept, inputs, outputs)

    def _needed(self, view: SubgraphView, outputs: tuple[int, ...]) -> tuple[int, ...]:
        needed, live = set(outputs), set[_Resource]()
        kept = []
        for operator in reversed(view.subgraph.operators):
            sets, reads = self._effects(view, operator)
            wanted = bool(sets & live) or (live and None in sets) or (sets and None in live)
            if needed.isdisjoint(operator.outputs) and not wanted:
                continue
            kept.append(operator.index)
            needed.update(operator.inputs)
            live |= reads
        return tuple(reversed(kept))

    def _effects(
        self, view: SubgraphView, operator: Operator
    ) -> tuple[set[_Resource], set[_Resource]]:
        """Resources that the operator may set, and may read."""
        if operator.code == _OP.CALL_ONCE:
            return {None}, set()
        handles = {
            self._resource(view, t)
            for t in operator.inputs
            if t >= 0 and view.subgraph.tensor(t).dtype in _HANDLES
        }
        if operator.code in _SETS or operator.name == "FlexAssignVariableOp":
            return handles, set()
        if operator.code in _READS or operator.name == "FlexReadVariableOp":
            return set(), handles
        if self._calls(operator) and self._touches(self._calls(operator)):
            return {None}, {None}
        return set(handles), set(handles)  # custom and Flex operators may do either

    def _calls(self, operator: Operator) -> tuple[int, ...]:
        table = self._called.setdefault(operator.subgraph, {})
        if operator.index not in table:
            found = called_subgraphs(options(self.model, operator).values)
            table[operator.index] = tuple(n for n in found if n < len(self.views))
        return table[operator.index]

    def _touches(self, subgraphs: Iterable[int]) -> bool:
        """Whether a subgraph, or what it calls, has to do with resources."""
        for index in self._reachable(subgraphs):
            graph = self.views[index].subgraph
            if any(graph.tensor(n).dtype in _HANDLES for n in range(graph.tensor_count)):
                return True
        return False

    def _reachable(self, subgraphs: Iterable[int]) -> list[int]:
        """These subgraphs and all that they call, without initializers' own order."""
        found: dict[int, None] = {}
        queue = list(subgraphs)
        while queue:
            index = queue.pop(0)
            if index not in found:
                found[index] = None
                for operator in self.views[index].subgraph.operators:
                    queue += self._calls(operator)
        return list(found)

    def _resource(self, view: SubgraphView, tensor: int) -> _Resource:
        """Which resource a handle stands for; None if its maker does not tell."""
        maker = view.makers.get(tensor)
        return None if maker is None else self._made(view.operator(maker))

    def _made(self, operator: Operator) -> _Resource:
        if operator.inputs or len(operator.outputs) != 1:
            return None
        values = options(self.model, operator).values
        name = [str(values.get(key, "")) for key in ("container", "shared_name", "table_id")]
        return operator.name, "\0".join(name)

    def _close(
        self, entry: int, kept: tuple[int, ...], inputs: tuple[int, ...], outputs: tuple[int, ...]
    ) -> Slice:
        """Add the called subgraphs; take initializers' needless parts away."""
        view = self.views[entry]
        first = [view.operator(n) for n in kept]
        plain = [t for o in first if o.code != _OP.CALL_ONCE for t in self._calls(o)]
        called = [n for n in self._reachable(plain) if n != entry]
        operators = {entry: kept}
        for index in called:
            operators[index] = tuple(range(self.views[index].subgraph.operator_count))
        alive = self._alive(operators)
        once = {t for n, rows in operators.items() for r in rows
                for o in [self.views[n].operator(r)] if o.code == _OP.CALL_ONCE
                for t in self._calls(o)}  # fmt: skip
        for target in sorted(once):
            rows = self._initializer(self.views[target], alive)
            operators[target] = rows
            for index in self._reachable(
                t for n in rows for t in self._calls(self.views[target].operator(n))
            ):
                operators.setdefault(index, tuple(range(self.views[index].subgraph.operator_count)))
        empty = {target for target in once if not operators[target] and target != entry}
        for index, rows in list(operators.items()):
            operators[index] = tuple(
                n for n in rows if not self._is_idle_call(self.views[index].operator(n), empty)
            )
        for target in empty:
            del operators[target]
        return Slice(entry, operators, inputs, outputs)

    def _is_idle_call(self, operator: Operator, empty: set[int]) -> bool:
        return operator.code == _OP.CALL_ONCE and set(self._calls(operator)) <= empty

    def _alive(self, operators: dict[int, tuple[int, ...]]) -> set[_Resource]:
        """Resources of the kept operators; with None in it where one cannot be told."""
        found: set[_Resource] = set()
        for index, rows in operators.items():
            view = self.views[index]
            for number in rows:
                operator = view.operator(number)
                if any(
                    view.subgraph.tensor(t).dtype in _HANDLES for t in operator.outputs if t >= 0
                ):
                    found.add(self._made(operator))
        return found

    def _initializer(self, view: SubgraphView, alive: set[_Resource]) -> tuple[int, ...]:
        """Its operators that set one of ``alive``, and what these need."""
        needed: set[int] = set()
        kept = []
        for operator in reversed(view.subgraph.operators):
            effect = False
            if not operator.outputs:
                handles = {
                    self._resource(view, t)
                    for t in operator.inputs
                    if t >= 0 and view.subgraph.tensor(t).dtype in _HANDLES
                }
                effect = not handles or None in handles or None in alive or bool(handles & alive)
            if effect or not needed.isdisjoint(operator.outputs):
                kept.append(operator.index)
                needed.update(operator.inputs)
        return tuple(reversed(kept))
