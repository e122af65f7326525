"""What locations tell of folding, where a copy for inference has more than the trained model.

A constant that something was folded into has the location of its operator as it was then: a kernel
has that of its bias, too, and the bias of a dense layer that of the product. Where a layer has no
bias, nothing shows. Inside, the trained model proves that nothing was there to be folded; but at
its ends a copy may have a layer of its own, a ``Rescaling`` of its input say.
"""

from __future__ import annotations

from collections.abc import Iterable

from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.weights.constants.graphview import GraphView
from tflrepair.weights.constants.layeruses import LayerUse
from tflrepair.weights.constants.layouts import BIAS, affine, table_of

_SHARED = "arith.constant"  # a constant that several operators take has no location
_MOST = 1000  # tensors that are visited
_NUMBER = "0123456789"  # behind a location, where several tensors have the same


def shows_folding(view: GraphView, use: LayerUse, name: str) -> bool:
    """Whether something may be in the constant called ``name`` that only this model has."""
    if use.kind != BIAS and ";" in name:
        return True
    found = affine(use.host, view.graph)
    if found is None or use.tensor in view.producers:  # an operator turns it: nothing was folded
        return False
    kernel = view.graph.tensor(use.host.inputs[found.kernel]).name.rstrip(_NUMBER)
    if use.kind != BIAS:
        told = _tells(view, use.host, kernel, found.bias)
        return not told and _is_at_an_end(view, use.host)
    if use.host.code != schema.BuiltinOperator.FULLY_CONNECTED:
        return False
    places = name.rstrip(_NUMBER).split(";")
    result = view.graph.tensor(use.host.outputs[0]).name.rstrip(_NUMBER).split(";")
    return len(places) > 1 and (
        places == result or kernel in places or kernel.rpartition("/")[0] in places
    )


def _tells(view: GraphView, op: Operator, kernel: str, bias: int) -> bool:
    """Whether the kernel's location is known and not the bias's: folding would have joined them."""
    if kernel == _SHARED or not 0 <= bias < len(op.inputs) or op.inputs[bias] < 0:
        return False
    name = view.graph.tensor(op.inputs[bias]).name.rstrip(_NUMBER)
    return name not in (kernel, _SHARED)


def _is_at_an_end(view: GraphView, op: Operator) -> bool:
    """Whether the operator is the first or the last of the layers in some path."""
    found = affine(op, view.graph)
    return found is not None and (
        _is_first(view, op.inputs[found.data]) or _is_last(view, op.outputs)
    )


def _is_first(view: GraphView, tensor: int) -> bool:
    todo, seen = [tensor], set[int]()
    while todo:
        tensor = todo.pop()
        if tensor in view.inputs or len(seen) > _MOST:
            return True
        op = view.producers.get(tensor)
        if tensor not in seen and op is not None and not _is_layer(view, op):
            todo.extend(t for t in op.inputs if t in view.data)
        seen.add(tensor)
    return False


def _is_last(view: GraphView, tensors: Iterable[int]) -> bool:
    todo, seen = list(tensors), set[int]()
    while todo:
        tensor = todo.pop()
        if tensor in view.graph.outputs or len(seen) > _MOST:
            return True
        if tensor not in seen:
            users = {user.index: user for user, _ in view.consumers.get(tensor, ())}.values()
            todo.extend(t for op in users if not _is_layer(view, op) for t in op.outputs)
        seen.add(tensor)
    return False


def _is_layer(view: GraphView, op: Operator) -> bool:
    return affine(op, view.graph) is not None or table_of(op) is not None
