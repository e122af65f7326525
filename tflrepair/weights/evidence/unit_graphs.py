"""A file's architecture and a model's graph, both as: which layer takes what another one makes.

Layers without weights are passed through. Where a layer cannot be told (it is no variable that
needs a value, or it is frozen), what stands before it *may* feed what stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

from tflrepair.weights.types import roles
from tflrepair.weights.types.architecture import INPUT, Architecture
from tflrepair.weights.types.layer_flow import FlowOp, LayerFlow

SOURCE = -1  # stands for the inputs of the whole
MAYBE, SURE = 1, 2
# What TensorFlow calls the operators of activations, as they stand in names, and Keras's names
_ACTIVATIONS = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Elu": "elu",
    "Selu": "selu",
    "Softplus": "softplus",
}
# Keras class -> its operands cannot be exchanged, and the operators that the converter makes of it
_ORDERED_CLASSES = frozenset({"concatenate", "subtract"})
_ORDERED_KINDS = frozenset({"CONCATENATION", "SUB"})
_FROZEN_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})

# Layers that only activate, whose operator the converter may fuse into the one before
ACTIVATING = frozenset({"activation", "softmax", "re_lu", "relu", "elu", "leaky_re_lu"})
# Layers without weights that leave each value as it is, or choose among them, at inference
_INERT = frozenset(
    {"dropout", "spatial_dropout1d", "spatial_dropout2d", "spatial_dropout3d", "alpha_dropout",
     "gaussian_dropout", "gaussian_noise", "activity_regularization", "identity", "masking",
     "flatten", "reshape", "permute", "repeat_vector", "cropping1d", "cropping2d", "cropping3d",
     "zero_padding1d", "zero_padding2d", "zero_padding3d", "up_sampling1d", "up_sampling2d",
     "max_pooling1d", "max_pooling2d", "max_pooling3d", "average_pooling1d", "average_pooling2d",
     "average_pooling3d", "global_max_pooling1d", "global_max_pooling2d", "global_max_pooling3d",
     "global_average_pooling1d", "global_average_pooling2d", "global_average_pooling3d",
     "rescaling", "input_layer"}
)  # fmt: skip

Feeds = dict[int, int]  # unit -> MAYBE or SURE


@dataclass
class UnitGraph:
    """Edges between units, and what is known of each.

    Attributes:
        edges: (from, to) -> ``MAYBE`` or ``SURE``.
        before: pairs of units where the first one's output is an earlier operand.
        activations: names of the activations of each unit; None where that is not known.
        strides: of the unit's convolutions.
        backwards: whether a unit goes over its input from the end, where that is known.
        seen: the units that are used at all.
        joined: what goes into each operator without weights that takes several things.
        alone: the units whose output another unit takes as it is.
        ending: unit -> the activation that its output goes through under no name of the unit's.
        behind: unit -> the activations that its output goes through before anything else takes
            part, in layers that only activate; with ``None``, something unknown.
    """

    edges: dict[tuple[int, int], int] = field(default_factory=dict)
    before: set[tuple[int, int]] = field(default_factory=set)
    activations: dict[int, frozenset[str] | None] = field(default_factory=dict)
    strides: dict[int, tuple[int, int]] = field(default_factory=dict)
    backwards: dict[int, bool] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    joined: list[list[Feeds]] = field(default_factory=list)
    alone: set[int] = field(default_factory=set)
    ending: dict[int, str] = field(default_factory=dict)
    behind: dict[int, set[str | None]] = field(default_factory=dict)

    def feed(self, sources: Mapping[int, int], unit: int) -> None:
        self.seen.add(unit)
        for source, sure in sources.items():
            if source != unit:
                key = source, unit
                self.edges[key] = max(sure, self.edges.get(key, 0))

    def order(self, operands: Sequence[Mapping[int, int]]) -> None:
        """Note the units whose outputs are operands, in the operands' order."""
        for first, second in combinations(operands, 2):
            self.before |= {
                (a, b) for a in first for b in second if a not in second and b not in first
            }


def of_file(
    found: Architecture, unit_of: Callable[[int], int | None], frozen: Iterable[int]
) -> UnitGraph:
    """The graph of an architecture.

    Args:
        unit_of: number of the unit of weights that a unit of the architecture is; None if it has
            no weights.
        frozen: the units that the model holds as constants.
    """
    graph, made = UnitGraph(), list[Feeds]()
    constant = set(frozen)
    for call in found.calls:
        operands = [{SOURCE: SURE} if o == INPUT else made[o] for o in call.operands]
        sources = _merged(operands)
        unit, layer = unit_of(call.unit), found.units[call.unit]
        if unit is None:
            if layer.class_name in _ORDERED_CLASSES:
                graph.order(operands)
            if list(sources.values()) == [SURE] and layer.class_name not in _INERT:
                one = layer.activation if layer.class_name in ACTIVATING else None
                graph.behind.setdefault(min(sources), set()).add(one)
            lost = roles.class_roles(layer.class_name) is not None  # its arrays are not in the file
            made.append(dict.fromkeys(sources, MAYBE) if lost else sources)
        elif unit in constant:
            made.append(dict.fromkeys(sources, MAYBE))
        else:
            graph.feed(sources, unit)
            if layer.activation is not None:
                name = layer.activation.replace("relu6", "relu")
                graph.activations[unit] = frozenset({name})
            if layer.backwards is not None:
                graph.backwards[unit] = layer.backwards
            if layer.strides is not None:
                graph.strides[unit] = layer.strides
            made.append({unit: SURE})
    return graph


class Owner(Protocol):
    """Of which unit an operator is part."""

    def unit(self, op: FlowOp) -> int | None:
        """None for none, and ``SOURCE`` for a layer that is none of those to be matched."""

    def scopes(self, op: FlowOp, unit: int) -> Sequence[tuple[str, ...]]:
        """Those names of the operator's output that lie in the unit's scope."""


class UnitOwner(Owner, Protocol):
    """An owner that also knows of which unit a variable is part."""

    def unit_of(self, variable: str) -> int | None:
        """None if it is part of none of those to be matched."""

    def is_around(self, op: FlowOp) -> bool:
        """Whether a layer that has units inside does this itself, as an RNN turns its input."""


def of_model(flow: LayerFlow, owner: Owner) -> UnitGraph:
    """The graph of a model's operators."""
    graph = UnitGraph()
    made: dict[int, Feeds] = {tensor: {SOURCE: SURE} for tensor in flow.inputs}
    nameless: set[int] = set()
    turned: set[int] = set()  # tensors that were turned round, by a layer or by somebody else
    tables = {name for op in flow.ops if op.kind == "GATHER" for name in op.variables}
    for op in flow.ops:
        operands = [made.get(t, {}) for t in op.inputs]
        if op.kind == "REVERSE_V2" or (not op.variables and not turned.isdisjoint(op.inputs)):
            turned.update(op.outputs)
        sources, unit = _merged(operands), owner.unit(op)
        if unit not in (None, SOURCE) and not op.variables and unit not in sources:
            if op.kind == "REVERSE_V2":
                graph.backwards[unit] = True
            unit = None  # before it meets the weights; layers may share such work
        if unit is None:
            if op.kind in _ORDERED_KINDS:
                graph.order(operands)
            if len(operands) > 1:
                graph.joined.append(operands)
            elif op.activation and _is_named(op) and list(sources.values()) == [SURE]:
                graph.behind.setdefault(min(sources), set()).add(op.activation)
            if not _is_named(op):
                nameless.update(sources if len(sources) == 1 else ())
                if op.activation and list(sources.values()) == [SURE]:
                    graph.ending.update(dict.fromkeys(sources, op.activation))
            result = sources
            if op.kind in _FROZEN_KINDS:  # a kernel that is a constant
                result = dict.fromkeys(sources, MAYBE)
        elif unit == SOURCE:
            result = dict.fromkeys(sources, MAYBE)
        elif op.kind != "GATHER" and op.variables & tables:
            # A table that is a kernel, too: no Embedding of the file does that, the exported
            # function or a layer around it may.
            graph.feed(dict.fromkeys(sources, MAYBE), unit)
            result = dict.fromkeys((*sources, unit), MAYBE)
        else:
            graph.feed(sources, unit)
            if op.kind == "WHILE" and turned.isdisjoint(op.inputs):
                graph.backwards[unit] = False
            graph.alone.update(*(o for o in operands if len(o) == 1 and unit not in o))
            known = {_function(scope[-1]) for scope in owner.scopes(op, unit)} - {""}
            graph.activations[unit] = (graph.activations.get(unit) or frozenset()) | known
            if not _is_named(op):
                nameless.add(unit)
                if op.activation:
                    graph.ending[unit] = op.activation
            elif op.activation:
                graph.behind.setdefault(unit, set()).add(op.activation)
            if op.strides is not None:
                graph.strides.setdefault(unit, op.strides)
            result = {unit: SURE}
        made.update(dict.fromkeys(op.outputs, result))
    for unit in nameless:
        if not graph.activations.get(unit):
            graph.activations[unit] = None
    return graph


def alike(model: UnitGraph, unit: int, file: UnitGraph, other: int) -> bool:
    """Whether a unit of the model can be a unit of the file by activation and strides.

    Activations behind it count where the file has some: the model may have more, of the exported
    function's own, or behind layers that are constants.
    """
    wanted, shown = file.activations.get(other), model.activations.get(unit)
    if file.behind.get(other):
        wanted, shown = _all(file, other), _all(model, unit)
    if wanted and shown is not None and wanted <= _COMPARED and shown != wanted - {"linear"}:
        return False
    ways = model.backwards.get(unit), file.backwards.get(other)
    if None not in ways and ways[0] != ways[1]:
        return False
    strides = model.strides.get(unit), file.strides.get(other)
    return None in strides or strides[0] == strides[1]


def _all(graph: UnitGraph, unit: int) -> frozenset[str] | None:
    """The activations of a unit, and of layers behind it that only activate; None if not known."""
    own, behind = graph.activations.get(unit), graph.behind.get(unit, set())
    return None if own is None or None in behind else own | {name for name in behind if name}


def ends_otherwise(model: UnitGraph, unit: int, file: UnitGraph, other: int) -> str:
    """What the model has behind a unit, and the file's unit has otherwise; empty if nothing.

    That of the model may be the layer's own, under the name of the signature's output, or the
    exported function's. Where it has none, that function, or whoever exported it, may have taken
    it away.
    """
    ending, wanted = model.ending.get(unit, ""), file.activations.get(other)
    if model.activations.get(unit) is not None or not wanted or not wanted <= _COMPARED:
        return ""
    if ending:
        return "" if ending in wanted else f"the model has a {ending} behind it, and {_NOT}"
    lost = min(wanted & _ONE_OPERATOR, default="")
    return f"the file's layer ends with a {lost}, and the model has none there" if lost else ""


# What is one operator, and nothing else, wherever it stands
_ONE_OPERATOR = frozenset({"relu", "tanh", "sigmoid", "softmax"})
_NOT = "the file's layer has none"
_COMPARED = frozenset({"linear", *_ACTIVATIONS.values()})


def _function(part: str) -> str:
    """``Relu_1`` -> ``relu``: TensorFlow and the converter make names unique by numbers."""
    return _ACTIVATIONS.get(part.rstrip("0123456789_"), "")


def _is_named(op: FlowOp) -> bool:
    return any(len(scope) > 1 for scope in op.scopes)


def _merged(operands: Iterable[Mapping[int, int]]) -> Feeds:
    found: Feeds = {}
    for operand in operands:
        for unit, sure in operand.items():
            found[unit] = max(sure, found.get(unit, 0))
    return found
