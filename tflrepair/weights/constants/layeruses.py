"""Where the operators of a subgraph use what a layer was trained to: kernels, biases, tables.

The same in both kinds of models: in one whose weights are constants, and in one that reads them
from variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.weights.constants.graphview import MOST_STEPS, GraphView
from tflrepair.weights.constants.layouts import (
    BETA,
    BIAS,
    GAMMA,
    TABLE,
    affine,
    is_activated,
    keras_shape,
    table_of,
)

_OP = schema.BuiltinOperator
_INTEGERS = {"int32": 4, "int64": 8}
# A bias comes behind these where a kernel is dilated or has fewer dimensions than its operator.
_BEFORE_BIAS = frozenset({_OP.RESHAPE, _OP.SQUEEZE, _OP.EXPAND_DIMS, _OP.BATCH_TO_SPACE_ND})


@dataclass(frozen=True)
class LayerUse:
    """An operator takes a layer's weight.

    Attributes:
        kind: what it takes it as: ``dense kernel``, ``bias``, ...
        op, position: the operator and which of its inputs.
        host: the operator that takes the kernel, where ``op`` only adds its bias; else ``op``.
        axes: as in ``Affine``.
    """

    kind: str
    op: Operator
    position: int
    host: Operator
    axes: tuple[int, ...] = ()

    @property
    def tensor(self) -> int:
        return self.op.inputs[self.position]

    def keras_shape(self, view: GraphView) -> tuple[int, ...]:
        return keras_shape(self.kind, self.axes, view.shape(self.tensor))


def layer_uses(view: GraphView) -> Iterator[LayerUse]:
    """The uses in a subgraph of what is known at conversion.

    Raises:
        BadFileError: the model is damaged.
    """
    for op in view.graph.operators:
        yield from _of_affine(view, op)
        yield from _of_table(view, op)
        if op.code in (_OP.ADD, _OP.MUL) and len(op.inputs) == 2 and len(op.outputs) == 1:
            yield from _of_binary(view, op)


def _of_affine(view: GraphView, op: Operator) -> Iterator[LayerUse]:
    found = affine(op, view.graph)
    if found is None or op.inputs[found.data] not in view.data:
        return
    if view.is_known(op.inputs[found.kernel]):
        yield LayerUse(found.kind, op, found.kernel, op, found.axes)
    if 0 <= found.bias < len(op.inputs) and view.is_known(op.inputs[found.bias]):
        yield LayerUse(BIAS, op, found.bias, op)


def _of_table(view: GraphView, op: Operator) -> Iterator[LayerUse]:
    places = table_of(op)
    if places is None:
        return
    table, indices = places
    if view.is_known(op.inputs[table]) and op.inputs[indices] in view.data:
        yield LayerUse(TABLE, op, table, op)


def _of_binary(view: GraphView, op: Operator) -> Iterator[LayerUse]:
    """The bias of an operator before, or a normalization's gamma or beta.

    Layer and group normalization compute ``x * g + (beta - mean * g)`` with ``g = rsqrt(variance) *
    gamma``, where mean and variance are data (keras/src/backend/common/backend_utils.py and
    keras/src/layers/normalization/layer_normalization.py).
    """
    known = [position for position, tensor in enumerate(op.inputs) if view.is_known(tensor)]
    if len(known) != 1 or not view.shape(op.inputs[known[0]]):
        return
    (position,) = known
    other = view.producers.get(op.inputs[1 - position])
    if op.code == _OP.MUL:
        if other is not None and other.code == _OP.RSQRT:
            yield LayerUse(GAMMA, op, position, op)
        return
    host = _host(view, op, position)
    if host is not None:
        yield LayerUse(BIAS, op, position, host)
    elif other is not None and other.code == _OP.MUL and _is_of_mean(view, other):
        yield LayerUse(BETA, op, position, op)


def _is_of_mean(view: GraphView, op: Operator) -> bool:
    makers = [view.producers.get(tensor) for tensor in op.inputs]
    return all(t in view.data for t in op.inputs) and any(
        maker is not None and maker.code == _OP.NEG for maker in makers
    )


def _host(view: GraphView, op: Operator, position: int) -> Operator | None:
    """The operator whose bias an ADD adds: one value for each of its channels, and nothing else.

    Where the last axes together are the channels, an element's place modulo their number is its
    channel, whatever reshapes stand between.
    """
    tensor = op.inputs[1 - position]
    shape = view.shape(op.inputs[position])
    while shape[:1] == (1,) and len(shape) > 1:
        shape = shape[1:]
    if view.shape(tensor)[-len(shape) :] != shape:
        return None
    host = view.producers.get(tensor)
    for _ in range(MOST_STEPS):
        if host is None or host.code not in _BEFORE_BIAS:
            break
        host = view.producers.get(host.inputs[0]) if host.inputs else None
    found = affine(host, view.graph) if host is not None else None
    if host is None or found is None or is_activated(host):
        return None
    if host.inputs[found.data] not in view.data or not view.is_known(host.inputs[found.kernel]):
        return None
    return host if view.shape(host.outputs[0])[-1:] == (prod(shape),) else None


def stored(view: GraphView, use: LayerUse) -> int | None:
    """The tensor that holds the weight as Keras does; None where it is computed or turned.

    That is a variable's value, or a constant where the converter has not turned it itself.
    """
    tensor = view.origin(use.tensor)
    if not use.axes:
        return tensor
    back = tuple(use.axes.index(i) for i in range(len(use.axes)))
    op = view.producers.get(tensor)
    if op is not None and op.code == _OP.TRANSPOSE and len(op.inputs) == 2:
        return view.origin(op.inputs[0]) if _axes(view, op.inputs[1]) == back else None
    # axes of size 1 may go anywhere: the converter then writes a reshape for the transpose
    shape = use.keras_shape(view)
    moved = [axis for axis in back if shape[axis] != 1]
    return tensor if moved == sorted(moved) else None


def _axes(view: GraphView, tensor: int) -> tuple[int, ...] | None:
    """The constant order of axes that a TRANSPOSE takes; None if it is no constant."""
    data = view.constant(tensor)
    width = _INTEGERS.get(view.graph.tensor(tensor).dtype)
    if data is None or width is None or len(data) > 8 * width or len(data) % width:
        return None
    return tuple(
        int.from_bytes(data[i : i + width], "little", signed=True)
        for i in range(0, len(data), width)
    )
