"""Which names the model's own save and restore operators use, and for which variables.

On-device training saves with tf.raw_ops.Save (or SaveV2) and restores with tf.raw_ops.Restore
(or RestoreV2); in the file they are Flex operators whose tensor names are string constants
(tensorflow/core/ops/io_ops.cc gives their inputs). A name belongs to a variable through the
READ_VARIABLE that feeds the save, or the ASSIGN_VARIABLE that takes what was restored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tflrepair.analysis.budget import Budget
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Analysis
from tflrepair.errors import BadFileError
from tflrepair.format import strings
from tflrepair.format.schema import BuiltinOperator
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import CUSTOM, Operator, Subgraph

# operator -> index of the first data input (the tensors that are saved)
_SAVES = {"FlexSave": 2, "FlexSaveV2": 3}
_RESTORES = ("FlexRestore", "FlexRestoreV2")
NAMES_INPUT = 1  # of all four operators
# operators that hand on what they are given
_PASSES = ("FlexEnsureShape", "FlexIdentity", "RESHAPE", "CAST")
_PASSING = (CUSTOM, BuiltinOperator.RESHAPE, BuiltinOperator.CAST)
_FURTHEST = 8


@dataclass(frozen=True)
class NamedTensors:
    """One save or restore operator: its tensor names, and the variable behind each (or None)."""

    site: OperatorRef
    saves: bool
    names: tuple[str, ...]
    keys: tuple[ResourceId | None, ...]

    @property
    def pairs(self) -> tuple[tuple[str, ResourceId | None], ...]:
        return tuple(zip(self.names, self.keys, strict=True))


def named_tensors(model: Model, analysis: Analysis) -> tuple[NamedTensors, ...]:
    """All save and restore operators whose names are constants.

    Raises:
        BadFileError: a constant of names is malformed.
        UnsupportedError: operators share constants of names without end.
    """
    names = _Names(model)
    return tuple(row for subgraph in model.subgraphs for row in _of(names, analysis, subgraph))


def clashes(rows: tuple[NamedTensors, ...]) -> dict[str, list[ResourceId | None]]:
    """Names that stand for more than one tensor of one save, or more than one restored variable.

    Name -> the variables behind it.
    """
    found: dict[str, dict[ResourceId | None, None]] = {}
    restored: dict[str, Counter[ResourceId | None]] = {}
    for row in rows:
        if not row.saves:  # one variable restored in two places is no clash
            for name, key in row.pairs:
                restored.setdefault(name, Counter()).setdefault(key, 1)
            continue
        saved: dict[str, Counter[ResourceId | None]] = {}
        for name, key in row.pairs:  # two saved tensors always are
            saved.setdefault(name, Counter())[key] += 1
        _merge(found, saved)
    _merge(found, restored)
    return {name: list(keys) for name, keys in found.items()}


def _merge(
    found: dict[str, dict[ResourceId | None, None]],
    groups: dict[str, Counter[ResourceId | None]],
) -> None:
    for name, keys in groups.items():
        if keys.total() > 1:
            found.setdefault(name, {}).update(dict.fromkeys(keys))


def _of(names: _Names, analysis: Analysis, subgraph: Subgraph) -> Iterator[NamedTensors]:
    trace: _Trace | None = None
    for operator in subgraph.operators_of((CUSTOM,)):
        saves = operator.name in _SAVES
        if not saves and operator.name not in _RESTORES:
            continue
        found = names.of(subgraph, operator)
        trace = trace or _Trace(analysis, subgraph)
        if saves:
            keys = tuple(map(trace.saved, operator.inputs[_SAVES[operator.name] :]))
        else:
            keys = tuple(map(trace.restored, operator.outputs))
        if found is not None and len(keys) == len(found):
            yield NamedTensors(OperatorRef(subgraph.index, operator.index), saves, found, keys)


class _Names:
    """The constants that name tensors, each read once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.budget = Budget(model.size)
        self.known: dict[int, tuple[str, ...]] = {}

    def of(self, subgraph: Subgraph, operator: Operator) -> tuple[str, ...] | None:
        if len(operator.inputs) <= NAMES_INPUT or operator.inputs[NAMES_INPUT] < 0:
            return None
        tensor = subgraph.tensor(operator.inputs[NAMES_INPUT])
        data = self.model.buffer_bytes(tensor.buffer)
        if tensor.dtype != "string" or not len(data):
            return None
        if tensor.buffer not in self.known:
            try:
                self.known[tensor.buffer] = strings.unpack(data)
            except BadFileError as error:
                raise error.within(f"subgraph {subgraph.index}, tensor {tensor.index}") from None
        names = self.known[tensor.buffer]
        self.budget.spend(len(names) + len(operator.inputs) + len(operator.outputs))
        return names


class _Trace:
    """Follows values from and to variables through the operators that hand them on."""

    def __init__(self, analysis: Analysis, subgraph: Subgraph) -> None:
        self.analysis = analysis
        self.index = subgraph.index
        passes = [
            operator
            for operator in subgraph.operators_of(_PASSING)
            if operator.name in _PASSES and operator.inputs and operator.outputs
        ]
        self.source = {o.outputs[0]: o.inputs[0] for o in passes}
        self.targets: dict[int, list[int]] = {}
        self.known: dict[tuple[int, int], frozenset[ResourceId]] = {}
        for operator in passes:
            self.targets.setdefault(operator.inputs[0], []).append(operator.outputs[0])

    def saved(self, tensor: int) -> ResourceId | None:
        """The variable whose value arrives in ``tensor``."""
        for _ in range(_FURTHEST):
            key = self.analysis.reads.get((self.index, tensor))
            if key is not None or tensor not in self.source:
                return key
            tensor = self.source[tensor]
        return None

    def restored(self, tensor: int) -> ResourceId | None:
        """The one variable that takes the value in ``tensor``."""
        found = self.assigned(tensor, _FURTHEST - 1)
        return next(iter(found)) if len(found) == 1 else None

    def assigned(self, tensor: int, further: int) -> frozenset[ResourceId]:
        """Variables that the value reaches through ``further`` operators: one, or some of them.

        Two are enough to know that it is not one, so no more are kept.
        """
        place = (tensor, further)
        if place not in self.known:
            own = self.analysis.assigns.get((self.index, tensor))
            found = {own} if own is not None else set()
            for target in self.targets.get(tensor, ()) if further else ():
                if len(found) > 1:
                    break
                found |= self.assigned(target, further - 1)
            self.known[place] = frozenset(found)
        return self.known[place]
