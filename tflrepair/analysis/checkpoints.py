"""Which names the model's own save and restore operators use, and for which variables.

On-device training saves with tf.raw_ops.Save (or SaveV2) and restores with tf.raw_ops.Restore
(or RestoreV2); in the file they are Flex operators whose tensor names are string constants
(tensorflow/core/ops/io_ops.cc gives their inputs). A name belongs to a variable through the
READ_VARIABLE that feeds the save, or the ASSIGN_VARIABLE that takes what was restored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Analysis
from tflrepair.errors import BadFileError
from tflrepair.format import strings
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph

# operator -> index of the first data input (the tensors that are saved)
_SAVES = {"FlexSave": 2, "FlexSaveV2": 3}
_RESTORES = ("FlexRestore", "FlexRestoreV2")
NAMES_INPUT = 1  # of all four operators
# operators that hand on what they are given
_PASSES = ("FlexEnsureShape", "FlexIdentity", "RESHAPE", "CAST")
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
    """
    return tuple(row for subgraph in model.subgraphs for row in _of(model, analysis, subgraph))


def clashes(rows: tuple[NamedTensors, ...]) -> dict[str, list[ResourceId | None]]:
    """Names that stand for more than one tensor of one save, or more than one restored variable.

    Name -> the variables behind it.
    """
    found: dict[str, list[ResourceId | None]] = {}
    restored: dict[str, list[ResourceId | None]] = {}
    for row in rows:
        groups: dict[str, list[ResourceId | None]] = {} if row.saves else restored
        for name, key in row.pairs:
            keys = groups.setdefault(name, [])
            # one variable restored in two places is no clash; two saved tensors always are
            if row.saves or key not in keys:
                keys.append(key)
        if row.saves:
            _merge(found, groups)
    _merge(found, restored)
    return found


def _merge(
    found: dict[str, list[ResourceId | None]], groups: dict[str, list[ResourceId | None]]
) -> None:
    for name, keys in groups.items():
        if len(keys) > 1:
            known = found.setdefault(name, [])
            known += [key for key in keys if key not in known]


def _of(model: Model, analysis: Analysis, subgraph: Subgraph) -> Iterator[NamedTensors]:
    trace: _Trace | None = None
    for operator in subgraph.operators:
        saves = operator.name in _SAVES
        if not saves and operator.name not in _RESTORES:
            continue
        names = _constant_names(model, subgraph, operator)
        trace = trace or _Trace(analysis, subgraph)
        if saves:
            keys = tuple(map(trace.saved, operator.inputs[_SAVES[operator.name] :]))
        else:
            keys = tuple(map(trace.restored, operator.outputs))
        if names is not None and len(keys) == len(names):
            yield NamedTensors(OperatorRef(subgraph.index, operator.index), saves, names, keys)


def _constant_names(model: Model, subgraph: Subgraph, operator: Operator) -> tuple[str, ...] | None:
    if len(operator.inputs) <= NAMES_INPUT or operator.inputs[NAMES_INPUT] < 0:
        return None
    tensor = subgraph.tensor(operator.inputs[NAMES_INPUT])
    data = model.buffer_bytes(tensor.buffer)
    if tensor.dtype != "string" or not len(data):
        return None
    try:
        return strings.unpack(data)
    except BadFileError as error:
        raise error.within(f"subgraph {subgraph.index}, tensor {tensor.index}") from None


class _Trace:
    """Follows values from and to variables through the operators that hand them on."""

    def __init__(self, analysis: Analysis, subgraph: Subgraph) -> None:
        self.analysis = analysis
        self.index = subgraph.index
        passes = [o for o in subgraph.operators if o.name in _PASSES and o.inputs and o.outputs]
        self.source = {o.outputs[0]: o.inputs[0] for o in passes}
        self.targets: dict[int, list[int]] = {}
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
        found: set[ResourceId] = set()
        wave = {tensor}
        for _ in range(_FURTHEST):
            places = [(self.index, t) for t in wave]
            found |= {self.analysis.assigns[p] for p in places if p in self.analysis.assigns}
            wave = {target for t in wave for target in self.targets.get(t, ())}
        return found.pop() if len(found) == 1 else None
