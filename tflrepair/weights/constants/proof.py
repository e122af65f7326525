"""Which variables a .tflite of the same model would hold as constants, unchanged, and where.

A broken training model computes the same as its healthy copy for inference, but reads each weight
from a variable, and so the converter could fold nothing. Its graph shows both: how a kernel gets
from the variable's layout into the operator's, and whether something stands near that would have
been folded into a constant (see ``folding``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.weights.constants.folding import folded
from tflrepair.weights.constants.graphview import MOST_STEPS, RESHAPES, GraphView
from tflrepair.weights.constants.layeruses import layer_uses, stored

_OP = schema.BuiltinOperator
_CONTROL = frozenset({_OP.IF, _OP.WHILE, _OP.CALL, _OP.STABLEHLO_COMPOSITE})
_NOWHERE = -1  # no operator has such an input
_SAVES = ("FlexSave", "FlexMergeV2")
_UNUSED = "no signature that leaves the variables as they are uses it"
_ELSEWISE = "this model does not use it as a layer does"


@dataclass(frozen=True)
class Proof:
    """How the model uses a variable.

    Attributes:
        kind, shape: as what operators take it, and its shape there in Keras's order of axes: where
            a kernel has more axes than its operator, some are merged. Empty if ``reason`` is given.
        reason: why a constant of another .tflite may be something else; empty if it cannot.
    """

    kind: str = ""
    shape: tuple[int, ...] = ()
    reason: str = ""


def proofs_of(
    model: Model, variables: Sequence[Variable], analysis: Analysis
) -> Mapping[str, Proof]:
    """Shared name -> how the model uses the variable.

    Only entries count that assign nothing: where a variable changes, its value is not known at
    conversion, and where a model is trained, normalization works with the batch's own mean.

    Raises:
        BadFileError: the model is damaged.
    """
    found: dict[ResourceId, list[Proof]] = {}
    for index in _quiet(model, analysis):
        view = GraphView(model, model.subgraph(index))
        read = {tensor: key for (graph, tensor), key in analysis.reads.items() if graph == index}
        _look(view, read, found)
    return {v.name: _together(found.get(v.key, [])) for v in variables}


def _together(proofs: list[Proof]) -> Proof:
    """One proof of all uses: they must agree."""
    if not proofs:
        return Proof(reason=_UNUSED)
    refused = next((proof for proof in proofs if proof.reason), None)
    if refused is not None:
        return refused
    return proofs[0] if len(set(proofs)) == 1 else Proof(reason=_ELSEWISE)


def _quiet(model: Model, analysis: Analysis) -> Iterator[int]:
    """The entry subgraphs that assign no variable, nor call what may."""
    assigning = {site.subgraph for v in analysis.variables for site in v.assigned_by}
    assigning.difference_update(analysis.initializers)
    entries = {entry.subgraph for entry in analysis.entries}
    for index in sorted(entries - assigning):
        calls = any(op.code in _CONTROL for op in model.subgraph(index).operators)
        if not (calls and assigning - entries):
            yield index


def _look(
    view: GraphView, read: Mapping[int, ResourceId], found: dict[ResourceId, list[Proof]]
) -> None:
    """Add the proofs of one subgraph; ``read`` has the tensors that variables are read into."""
    seen = set[tuple[int, int]]()
    for use in layer_uses(view):
        tensor = stored(view, use)
        if tensor is not None and tensor in read:
            seen.add((use.op.index, use.position))
            proof = Proof(use.kind, use.keras_shape(view), folded(view, use))
            found.setdefault(read[tensor], []).append(proof)
    for tensor, key in read.items():
        if any(place not in seen for place in _users(view, tensor)):
            found.setdefault(key, []).append(Proof(reason=_ELSEWISE))


def _users(view: GraphView, tensor: int) -> Iterator[tuple[int, int]]:
    """(operator, input) of all that a variable's value goes into; saving it does not count."""
    todo, seen = [tensor], set[int]()
    while todo:
        tensor = todo.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        for op, position in view.consumers.get(tensor, ()):
            if len(seen) > MOST_STEPS:
                yield op.index, _NOWHERE
            elif position == 0 and (op.code in RESHAPES or op.code == _OP.TRANSPOSE):
                todo.extend(op.outputs)
            elif not _saves(op):
                yield op.index, position


def _saves(op: Operator) -> bool:
    return op.is_custom and op.name.startswith(_SAVES)
