"""What a converter that knows every value could fold into the constants of a layer.

It multiplies what stands behind a convolution or a matrix product into the kernel and the bias, and
adds it to the bias; it does the same with what stands before them, and it moves the bias of one
dense layer into the next (tensorflow/compiler/mlir/lite/transforms/optimize_pass.cc and
optimize_patterns.td: FuseFullyConnectedAndAdd, FuseMulOrDivWithConv2dOrDepthwiseConv2d,
FuseAddAndFullyConnected, FuseMulAndFullyConnected, FuseBinaryOpToFollowingAffineOp;
tensorflow/compiler/mlir/tensorflow/transforms/optimize.td: FuseMulAndConv2D). Names do not show it:
FuseMulAndConv2D gives the product the convolution's own location.

So a constant is a layer's weight only where nothing of the kind is near: the walks here go over all
that only moves elements, up to an operator that computes with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.weights.constants.graphview import GraphView
from tflrepair.weights.constants.layeruses import LayerUse
from tflrepair.weights.constants.layouts import BETA, BIAS, GAMMA, TABLE, affine, is_activated

_OP = schema.BuiltinOperator
_SCALES = frozenset({_OP.MUL, _OP.DIV})
_BINARY = _SCALES | {_OP.ADD, _OP.SUB}
_CALLS = frozenset({_OP.CALL, _OP.STABLEHLO_COMPOSITE})  # what they call may be inlined


_MOST = 1000  # tensors that a walk visits
_LONGEST = 1 << 16  # bytes of a bias that are looked at


@dataclass
class _Near:
    """What a walk met first, in words: a product, a sum, and a layer's kernel; empty if none."""

    scale: str = ""
    shift: str = ""
    layer: str = ""

    def meet(self, view: GraphView, op: Operator, data: int) -> bool:
        """Note what ``op`` does to ``data``. True if what it gives is as linear as before."""
        text = _text(view, op)
        takes_known = any(view.is_known(t) and _is_float(view, t) for t in op.inputs)
        if op.code in _CALLS or (op.is_custom and takes_known):
            self.scale = self.scale or text
            self.shift = self.shift or text
            return False
        if op.code == _OP.NEG:
            self.scale = self.scale or text
            return True
        if op.code not in _BINARY or len(op.inputs) != 2:
            if affine(op, view.graph) is not None:
                self.layer = self.layer or text
                if has_own_bias(view, op):
                    self.shift = self.shift or text
            return False
        left, right = op.inputs
        if not view.is_known(right if left == data else left):
            return False
        if op.code in _SCALES or (op.code == _OP.SUB and right == data):
            self.scale = self.scale or text
        if op.code not in _SCALES:
            self.shift = self.shift or text
        return True


_TOO_FAR = _Near(*["more than can be followed"] * 3)


def folded(view: GraphView, use: LayerUse) -> str:
    """What near this use could be in the constant too, in words; empty if nothing is.

    Args:
        view: a subgraph that assigns no variable and uses the weight as it is.
    """
    behind = _behind(view, use.op)
    if use.kind == TABLE:
        return behind.scale and f"{behind.scale} follows it"
    if use.kind in (GAMMA, BETA):
        other = _before(view, use.op.inputs[1 - use.position])
        near = behind.scale or behind.shift or behind.layer
        if near:
            return f"{near} follows it"
        near = other.scale or other.shift or other.layer
        return near and f"{near} comes before it"
    found = affine(use.host, view.graph)
    if found is None:
        return "its operator is not a known one"
    before = _before(view, use.host.inputs[found.data])
    if use.kind == BIAS:
        near = behind.scale or behind.shift or behind.layer
        if near:
            return f"{near} follows it"
        if before.shift:
            return f"{before.shift} comes before its layer"
        if use.op is not use.host and has_own_bias(view, use.host):
            return f"{_text(view, use.host)} has a bias of its own"
        return ""
    if behind.scale:
        return f"{behind.scale} follows it"
    return before.scale and f"{before.scale} comes before it"


def _behind(view: GraphView, op: Operator) -> _Near:
    near = _Near()
    todo = [] if is_activated(op) else list(op.outputs)
    seen = set[int]()
    while todo:
        tensor = todo.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        if len(seen) > _MOST:
            return _TOO_FAR
        for user in {user.index: user for user, _ in view.consumers.get(tensor, ())}.values():
            goes_on = tensor in view.moved(user) or near.meet(view, user, tensor)
            if goes_on and not is_activated(user):
                todo.extend(user.outputs)
    return near


def _before(view: GraphView, tensor: int) -> _Near:
    near = _Near()
    todo, seen = [tensor], set[int]()
    while todo:
        tensor = todo.pop()
        op = view.producers.get(tensor)
        if tensor in seen or op is None or is_activated(op):
            continue
        seen.add(tensor)
        if len(seen) > _MOST:
            return _TOO_FAR
        moved = list(view.moved(op))
        if moved:
            todo.extend(moved)
            continue
        data = [t for t in op.inputs if t in view.data]
        if op.code in _CALLS:
            near.meet(view, op, tensor)
        elif len(data) == 1 and near.meet(view, op, data[0]):
            todo.append(data[0])
        elif len(data) == 2 and op.code in (_OP.ADD, _OP.SUB):
            near.scale = near.scale or _common_factor(view, data)
    return near


def _common_factor(view: GraphView, tensors: list[int]) -> str:
    """A factor of a sum's terms, which grappler may hoist out of the sum
    (tensorflow/core/grappler/optimizers/arithmetic_optimizer.cc, HoistCommonFactorOutOfAggregation)
    """
    for tensor in tensors:
        op = view.producers.get(view.origin(tensor))
        known = op is not None and any(view.is_known(t) for t in op.inputs)
        if op is not None and op.code in _SCALES and known and not is_activated(op):
            return _text(view, op)
    return ""


def has_own_bias(view: GraphView, host: Operator) -> bool:
    """Whether an operator that takes a kernel adds something else than zeros itself."""
    found = affine(host, view.graph)
    if found is None or not 0 <= found.bias < len(host.inputs) or host.inputs[found.bias] < 0:
        return False
    data = view.constant(host.inputs[found.bias])
    return data is None or len(data) > _LONGEST or bool(bytes(data).strip(b"\0"))


def _is_float(view: GraphView, tensor: int) -> bool:
    return "float" in view.graph.tensor(tensor).dtype


def _text(view: GraphView, op: Operator) -> str:
    name = view.graph.tensor(op.outputs[0]).name.split(";")[0] if op.outputs else ""
    return f"{op.name} {name!r}" if name else op.name
