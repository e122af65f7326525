"""A weights file that lists a Functional or Sequential model's layers, and no running numbers.

Keras sorts these lists by the data flow (``map_graph`` of keras/src/ops/function.py), whatever the
order in which the program made the layers. So where the whole file is the whole model, the list
tells more than running numbers do, and comes before them. Numbers that do not agree with it may
also be another model's: then it is refused, unless the user knows better (``reordered-layers``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tflrepair.weights.evidence.incomplete import incomplete
from tflrepair.weights.evidence.merges import KINDS, other_merges
from tflrepair.weights.matching.joins import Joins
from tflrepair.weights.matching.order import narrow
from tflrepair.weights.matching.question import Question
from tflrepair.weights.optimizers.keras3 import kind_of
from tflrepair.weights.types.layer_flow import LayerFlow
from tflrepair.weights.types.layer_names import canonical, split_number, unscoped
from tflrepair.weights.types.layers import FileLayer, TargetLayer
from tflrepair.weights.types.weight import Source

ROOTS = frozenset({"functional", "sequential"})


def by_list(questions: Sequence[Question], layers: Sequence[FileLayer], source: Source) -> bool:
    """Let the file's lists take candidates away, if they may; whether they may.

    They may where nothing is missing on either side, and no class of somebody's own is around the
    layers, which could call them in an order of its own.
    """
    if not _is_whole(questions, layers, source):
        return False
    joins = Joins(questions, source)

    def joined(a: Question, b: Question) -> bool:
        pairs = [(c.layer, d.layer) for c in a.candidates for d in b.candidates]
        found = {joins.order(a, b, x, y, True) for x, y in pairs if x is not y}
        return found == {-1}

    while narrow(questions, False, joined):
        pass
    return True


def _is_whole(questions: Sequence[Question], layers: Sequence[FileLayer], source: Source) -> bool:
    flow = next((t.flow for q in questions for _, t in q.target.targets), None)
    if flow is None or source.architecture is not None or len(questions) != len(layers):
        return False
    asked = {t.shared_name for q in questions for _, t in q.target.targets}
    read = {name for op in flow.ops for name in op.variables}
    return (
        read == asked
        and all(q.candidates and not q.conflict for q in questions)
        and {id(c.layer) for q in questions for c in q.candidates} == set(map(id, layers))
        and all(_is_plain(q.target) for q in questions)
        and all(map(_is_listed, layers))
        and not incomplete(layers, source)
        and not other_merges(source.weightless, flow, True)
        and _joins_itself(source, flow)
    )


def _joins_itself(source: Source, flow: LayerFlow) -> bool:
    """Whether the file lists a layer for each operator of the model that joins things in order.

    An exported function may join the outputs of its model itself, in any order.
    """
    listed = Counter(kind for kind, _ in source.weightless)
    joining = Counter(op.kind for op in flow.ops if not op.variables and len(op.inputs) > 1)
    return all(listed[base] == joining[KINDS[base]] for base in ("concatenate", "subtract"))


def _is_plain(target: TargetLayer) -> bool:
    """Whether the outermost scope is that of a model of Keras's own class (or of an optimizer)."""
    scopes = {name.split("/")[0] for _, t in target.targets for name in t.read_as}
    scopes = {scope for scope in scopes - {"gradient_tape"} if not kind_of(scope)}
    roots = {split_number(unscoped([scope])[0])[0] for scope in scopes}
    return bool(roots) and roots <= ROOTS


def _is_listed(layer: FileLayer) -> bool:
    """Whether the file says that all models around the layer are of Keras's own classes."""
    if not layer.keys or not layer.levels[0].name:
        return False
    around = [split_number(canonical(layer.levels[0].name))[0]]
    around += [
        level.class_name
        for level, is_sorted in zip(layer.levels[1:], layer.sorted_steps[1:], strict=False)
        if is_sorted
    ]
    return layer.sorted_steps[0] and set(around) <= ROOTS
