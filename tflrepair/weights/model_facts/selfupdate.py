"""How a model changes a variable from the variable's own value.

What is computed into an ASSIGN_VARIABLE is followed back to what was read. So state shows, which no
file of weights holds: a counter, a cache of which a part is overwritten, a slow copy of a weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator

COUNTED = "counted"  # a single number to which numbers are added
MOVED = "moved"  # elements stay, move, or give way to others; nothing is computed from them
UPDATED = "updated"  # any other update from its own value
_OP = schema.BuiltinOperator
_ADDS = frozenset({_OP.ADD, _OP.SUB, _OP.ADD_N, _OP.CAST, _OP.RESHAPE, _OP.SUM, _OP.FLOOR_MOD,
                   _OP.MINIMUM, _OP.MAXIMUM, _OP.SELECT, _OP.SELECT_V2})  # fmt: skip
_MOVES = frozenset({_OP.CONCATENATION, _OP.SLICE, _OP.STRIDED_SLICE, _OP.RESHAPE, _OP.TRANSPOSE,
                    _OP.DYNAMIC_UPDATE_SLICE, _OP.SELECT, _OP.SELECT_V2, _OP.SCATTER_ND, _OP.PAD,
                    _OP.PACK, _OP.UNPACK, _OP.SPLIT, _OP.SPLIT_V, _OP.EXPAND_DIMS, _OP.SQUEEZE,
                    _OP.GATHER, _OP.REVERSE_V2, _OP.CAST})  # fmt: skip
_FLEX_MOVES = frozenset({"FlexTensorScatterUpdate", "FlexRoll", "FlexXlaDynamicUpdateSlice",
                         "FlexConcatV2", "FlexStridedSlice", "FlexSelectV2"})  # fmt: skip
_MIXES = frozenset({_OP.ADD, _OP.SUB, _OP.MUL, _OP.DIV, _OP.ADD_N, _OP.SELECT, _OP.SELECT_V2,
                    _OP.CAST, _OP.NEG, _OP.RESHAPE, _OP.BROADCAST_TO})  # fmt: skip
# what makes a mask, and what else may lie between it and its use
_PLACES = frozenset({_OP.ONE_HOT, _OP.SCATTER_ND, _OP.EQUAL, _OP.NOT_EQUAL, _OP.LESS, _OP.GREATER,
                     _OP.LESS_EQUAL, _OP.GREATER_EQUAL})  # fmt: skip
_SHAPES = frozenset({_OP.SUB, _OP.RESHAPE, _OP.CAST, _OP.EXPAND_DIMS, _OP.BROADCAST_TO, _OP.TILE,
                     _OP.LOGICAL_NOT, _OP.TRANSPOSE, _OP.SLICE, _OP.STRIDED_SLICE})  # fmt: skip
_MOST_OF_MASK = 50
_NEAR = _ADDS | _MOVES | _MIXES


@dataclass(frozen=True)
class SelfUpdate:
    """``kind`` as above, or empty; ``follows``: the one other variable that is mixed into it."""

    kind: str = ""
    follows: str = ""


def self_updates(
    model: Model, analysis: Analysis, variables: Iterable[Variable]
) -> dict[ResourceId, SelfUpdate]:
    """For each of ``variables`` that the model assigns: how.

    Raises:
        BadFileError: the model is damaged.
    """
    wanted = {variable.key: variable for variable in variables}
    walks: dict[int, _Walk] = {}
    found: dict[ResourceId, list[SelfUpdate]] = {}
    for (subgraph, tensor), key in analysis.assigns.items():
        if key not in wanted or subgraph in analysis.initializers:
            continue
        if subgraph not in walks:
            walks[subgraph] = _Walk(model, analysis, subgraph)
        found.setdefault(key, []).append(walks[subgraph].judge(wanted[key], tensor))
    return {key: _together(rows) for key, rows in found.items()}


def _together(rows: Sequence[SelfUpdate]) -> SelfUpdate:
    """One verdict for all places that assign a variable: those that do not reset it."""
    kinds = {row.kind for row in rows if row.kind}
    follows = {row.follows for row in rows}
    kind = kinds.pop() if len(kinds) == 1 else UPDATED if kinds else ""
    return SelfUpdate(kind, follows.pop() if len(follows) == 1 else "")


@dataclass
class _Near:
    """What lies between an assigned tensor and what was read, as far as simple operators go."""

    operators: dict[int, Operator] = field(default_factory=dict)
    others: set[ResourceId] = field(default_factory=set)
    strange: bool = False  # something else takes part: data, or what another operator computes


class _Walk:
    """Back from assigned tensors of one subgraph."""

    def __init__(self, model: Model, analysis: Analysis, subgraph: int) -> None:
        self.model = model
        self.graph = model.subgraph(subgraph)
        self.reads = {t: key for (place, t), key in analysis.reads.items() if place == subgraph}
        self.producers = {t: op for op in self.graph.operators for t in op.outputs}

    def judge(self, variable: Variable, tensor: int) -> SelfUpdate:
        near = self._near(variable.key, tensor)
        path = self._path(variable.key, near)
        follows = ""
        mixed = all(op.code in _MIXES for op in near.operators.values())
        if mixed and not near.strange and len(near.others) == 1:
            follows = next(iter(near.others)).shared_name
        if not path:
            is_read = variable.key in self.reads.values()
            return SelfUpdate(UPDATED if is_read else "", follows)
        if variable.shape == () and all(op.code in _ADDS for op in path):
            return SelfUpdate(COUNTED, follows)
        moved = bool(variable.shape) and self._moves(variable.key, path)
        return SelfUpdate(MOVED if moved else UPDATED, follows)

    def _moves(self, own: ResourceId, path: Sequence[Operator]) -> bool:
        """Whether elements stay, move or are masked away, and what is added fills the gaps."""
        mine = {tensor for tensor, key in self.reads.items() if key == own}
        masked = False
        for operator in path:
            others = [tensor for tensor in operator.inputs if tensor not in mine]
            if operator.code == _OP.MUL and len(others) == 1 and self._is_mask(others[0]):
                masked = True
            elif not (operator.code == _OP.ADD and masked) and not (
                operator.code in _MOVES or operator.name in _FLEX_MOVES
            ):
                return False
            mine.update(operator.outputs)
        return True

    def _is_mask(self, tensor: int) -> bool:
        """Whether a tensor is computed from where something is, and from nothing else."""
        todo, found = [tensor], False
        for _ in range(_MOST_OF_MASK):
            if not todo:
                break
            operator = self.producers.get(todo.pop())
            if operator is None:
                continue
            if operator.code in _PLACES:
                found = True
            elif operator.code in _SHAPES:
                todo += operator.inputs
            else:
                return False
        return found and not todo

    def _near(self, own: ResourceId, tensor: int) -> _Near:
        found = _Near()
        todo, seen = [tensor], set[int]()
        while todo:
            index = todo.pop()
            if index < 0 or index in seen:
                continue
            seen.add(index)
            key = self.reads.get(index)
            operator = self.producers.get(index)
            if key == own:
                continue
            if key is not None and self.graph.tensor(index).shape:
                found.others.add(key)
            elif operator is not None and (operator.code in _NEAR or operator.name in _FLEX_MOVES):
                found.operators[operator.index] = operator
                todo += operator.inputs
            elif not self._is_number(index) and (operator is not None or self._is_input(index)):
                found.strange = True
        return found

    def _path(self, own: ResourceId, near: _Near) -> list[Operator]:
        """The operators through which the variable's own value comes, in execution order."""
        mine = {tensor for tensor, key in self.reads.items() if key == own}
        path = []
        for _, operator in sorted(near.operators.items()):
            if not mine.isdisjoint(operator.inputs):
                path.append(operator)
                mine.update(operator.outputs)
        return path

    def _is_number(self, index: int) -> bool:
        tensor = self.graph.tensor(index)
        return prod(tensor.shape) == 1

    def _is_input(self, index: int) -> bool:
        return index in self.graph.inputs
