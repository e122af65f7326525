"""The constants of a .tflite as weights of the layers that use them.

What a constant is shows in the operator that takes it (see ``layeruses``); which layer's, in the
operator's location. Whether it is the weight that was trained, or has something else in it, the
file alone does not show: see ``offered``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tflrepair.errors import BadFileError
from tflrepair.format import schema
from tflrepair.format.types import byte_size
from tflrepair.graph.model import Model
from tflrepair.weights.constants.folding import has_own_bias
from tflrepair.weights.constants.fused_names import shows_folding
from tflrepair.weights.constants.graphview import GraphView
from tflrepair.weights.constants.layeruses import LayerUse, layer_uses, stored
from tflrepair.weights.constants.layouts import BIAS, DEPTHWISE, TABLE, multiplier_of
from tflrepair.weights.constants.locations import Scopes, is_inside
from tflrepair.weights.types.weight import Array, Weight
from tflrepair.wording import plural

_OP = schema.BuiltinOperator
_FLOATS = ("float32", "float16", "float64")
_PREFIX = "constants"
_SEPARABLE = "separable_conv2d"


@dataclass(frozen=True)
class LayerConstant(Weight):
    """A constant that an operator takes as a layer's weight, in Keras's order of axes.

    Attributes:
        kind: what the operator takes it as; empty for any other float constant.
        held: its shape there in Keras's order of axes: a depthwise kernel's last two are merged.
        chain, part: the layer that its operator was, and its role there; empty where not certain,
            and where several constants have one role.
    """

    kind: str = ""
    held: tuple[int, ...] = ()
    chain: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True)
class _Found:
    """A constant, and the use of it that tells what it is.

    Attributes:
        names: of the tensors that tell which layer it belongs to.
        axes: what brings it into Keras's order of axes; () if an operator of the model turns it.
        shape: Keras's, as far as the operator tells.
        halved: float16, widened by a DEQUANTIZE.
    """

    use: LayerUse
    tensor: int
    names: tuple[str, ...]
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    halved: bool


def constants_of(model: Model, label: str) -> tuple[LayerConstant, ...]:
    """The float constants of the entry subgraphs, none of them to be matched as it is.

    Quantized constants are left out: they are no weights.

    Raises:
        BadFileError: the model is damaged, or a constant has other bytes than its shape needs.
    """
    entries = dict.fromkeys([s.subgraph for s in model.signatures] or [0])
    views = [GraphView(model, model.subgraph(index)) for index in entries]
    rows = [(view, found) for view in views for found in _uses(view)]
    scopes = Scopes(name for _, found in rows for name in found.names)
    is_ordered = len({view.graph.index for view, _ in rows}) == 1
    constants = [
        _of_use(view, found, scopes, label, rank if is_ordered else None)
        for rank, (view, found) in enumerate(rows)
    ]
    kept = {(view.graph.index, found.tensor) for view, found in rows}
    others = [_other(view, t, label) for view in views for t in _floats(view, kept)]
    return _unique([*_one_for_each_part(constants), *others])


def _uses(view: GraphView) -> Iterator[_Found]:
    uses = list(layer_uses(view))
    added = {use.host.index for use in uses if use.op is not use.host}
    for use in uses:
        if use.op.index in added and use.kind == BIAS and not has_own_bias(view, use.op):
            continue  # zeros: the bias is what is added behind it
        tensor, axes = _undequantized(view, use.tensor), use.axes
        shape = _own_shape(view, use)
        if tensor in view.producers:
            keras = stored(view, use)
            if keras is None:
                continue
            tensor, axes, shape = _undequantized(view, keras), (), view.shape(keras)
        if not _is_float(view, tensor):
            continue
        halved = view.graph.tensor(tensor).dtype == "float16"
        outputs = [view.graph.tensor(t).name for op in (use.host, use.op) for t in op.outputs]
        names = (view.graph.tensor(tensor).name, *dict.fromkeys(outputs))
        yield _Found(use, tensor, names, axes, shape, halved)


def _undequantized(view: GraphView, tensor: int) -> int:
    """A float16 constant for what a DEQUANTIZE makes of it."""
    op = view.producers.get(tensor)
    is_widened = op is not None and op.code == _OP.DEQUANTIZE and len(op.inputs) == 1
    return op.inputs[0] if op is not None and is_widened else tensor


def _is_float(view: GraphView, tensor: int) -> bool:
    """Whether the tensor is a dense constant of floats and no quantized one."""
    row = view.graph.tensor(tensor)
    if row.dtype not in _FLOATS or -1 in row.shape or view.constant(tensor) is None:
        return False
    return row.table.table(schema.Tensor.SPARSITY) is None


def _floats(view: GraphView, kept: set[tuple[int, int]]) -> Iterator[int]:
    """Float constants, not scalars, that operators take in other ways."""
    for tensor in view.consumers:
        if (
            (view.graph.index, tensor) not in kept
            and view.shape(tensor)
            and _is_float(view, tensor)
        ):
            yield tensor


def _of_use(
    view: GraphView, found: _Found, scopes: Scopes, label: str, rank: int | None
) -> LayerConstant:
    use = found.use
    row = view.graph.tensor(found.tensor)
    layers = scopes.layers(found.names)
    chain = layers.pop() if len(layers) == 1 else ()
    part = _part(use, found.names)
    if found.halved or not part or shows_folding(view, use, row.name):
        chain = ()
    reader = partial(_read, _bytes(view, found.tensor), row.dtype, row.shape, found.axes)
    constant = LayerConstant(
        label,
        "/".join((*chain, part)) if chain else row.name,
        found.shape,
        row.dtype,
        rank=rank,
        plain=False,
        reader=reader,
        kind=use.kind,
        held=use.keras_shape(view),
        chain=chain,
        part=part if chain else "",
    )
    return replace(constant, reader=partial(_reshape, reader, found.shape))


def _own_shape(view: GraphView, use: LayerUse) -> tuple[int, ...]:
    """The shape of Keras's weight, as far as the operator tells."""
    shape = use.keras_shape(view)
    if use.kind != DEPTHWISE:
        return shape
    multiplier = multiplier_of(use.op)
    *rest, count = shape
    return (
        shape if multiplier < 1 or count % multiplier else (*rest, count // multiplier, multiplier)
    )


def _part(use: LayerUse, names: Sequence[str]) -> str:
    """Keras's name for the weight in its layer; empty for what is no weight there."""
    separable = is_inside(names, _SEPARABLE)
    if use.kind == DEPTHWISE:
        return "depthwise_kernel" if separable else "kernel"
    if use.kind == TABLE:
        return "embeddings"
    if use.kind == BIAS:  # the depthwise half of a separable convolution has none of its own
        return "" if separable and use.host.code == _OP.DEPTHWISE_CONV_2D else BIAS
    if use.kind.endswith("kernel"):
        return "pointwise_kernel" if separable else "kernel"
    return use.kind


def _other(view: GraphView, tensor: int, label: str) -> LayerConstant:
    row = view.graph.tensor(tensor)
    reader = partial(_read, _bytes(view, tensor), row.dtype, row.shape, ())
    return LayerConstant(label, row.name, row.shape, row.dtype, plain=False, reader=reader)


def _bytes(view: GraphView, tensor: int) -> memoryview:
    row, data = view.graph.tensor(tensor), view.constant(tensor)
    wanted = byte_size(row.dtype, row.shape)
    if data is None or len(data) != wanted:
        raise BadFileError(
            f"the constant {row.name!r} has {plural(len(data or b''), 'byte')}, "
            f"its shape needs {wanted}",
            where=f"subgraph {view.graph.index}, tensor {tensor}",
        )
    return data


def _read(data: memoryview, dtype: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    import numpy as np

    array: Array = np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
    return array.transpose(axes) if axes else array


def _one_for_each_part(constants: list[LayerConstant]) -> list[LayerConstant]:
    """Each once, however often it is used; where one part has several values, none is certain."""
    groups: dict[tuple[object, ...], list[LayerConstant]] = {}
    for number, constant in enumerate(constants):
        key = (constant.chain, constant.part) if constant.chain else (number,)
        groups.setdefault(key, []).append(constant)
    kept: list[LayerConstant] = []
    for group in groups.values():
        first = group[0]
        if all(_same(first, other) for other in group[1:]):
            kept.append(first)
        else:
            kept += [replace(constant, chain=(), part="") for constant in group]
    return kept


def _same(one: LayerConstant, other: LayerConstant) -> bool:
    if (one.kind, one.held, one.dtype) != (other.kind, other.held, other.dtype):
        return False
    return one.read().tobytes() == other.read().tobytes()


def _unique(constants: list[LayerConstant]) -> tuple[LayerConstant, ...]:
    """With paths that begin alike and differ from each other."""
    seen: dict[str, int] = {}
    named = []
    for constant in constants:
        number = seen[constant.path] = seen.get(constant.path, 0) + 1
        path = f"{_PREFIX}/{constant.path}" + (f"#{number}" if number > 1 else "")
        named.append(replace(constant, path=path))
    return tuple(named)


def reshaped(constant: LayerConstant, shape: tuple[int, ...]) -> LayerConstant:
    """The same elements, in the same order, in another shape of as many."""
    return replace(constant, shape=shape, reader=partial(_reshape, constant.read, shape))


def _reshape(reader: Callable[[], Array], shape: tuple[int, ...]) -> Array:
    return reader().reshape(shape)
