"""In which layout TensorFlow Lite's operators hold a layer's weights, and in which Keras does.

The converter transposes a kernel so that the output channel comes first, and flattens that of a
depthwise convolution (tensorflow/compiler/mlir/lite/transforms/legalize_tf.cc and prepare_tf.cc;
the operators' own shapes: tensorflow/lite/kernels/fully_connected.cc, conv.cc, depthwise_conv.cc,
transpose_conv.cc, conv3d.cc). For Keras's see keras/src/layers/convolutional/base_conv.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator, Subgraph

_OP = schema.BuiltinOperator

BIAS = "bias"
TABLE = "table"
GAMMA = "gamma"
BETA = "beta"
DEPTHWISE = "depthwise kernel"


@dataclass(frozen=True)
class Affine:
    """An operator that computes ``kernel * data + bias``.

    Attributes:
        kind: which kernel it takes, in words.
        kernel, data, bias: the inputs' positions; ``bias`` is -1 where it takes none.
        rank: of the kernel.
        axes: Keras's kernel is the operator's with its axes in this order; () for the same order.
    """

    kind: str
    kernel: int
    data: int
    bias: int
    rank: int
    axes: tuple[int, ...] = ()


_DENSE = "dense kernel"
_AFFINE = {
    _OP.FULLY_CONNECTED: Affine(_DENSE, 1, 0, 2, 2, (1, 0)),
    _OP.CONV_2D: Affine("convolution kernel", 1, 0, 2, 4, (1, 2, 3, 0)),
    _OP.DEPTHWISE_CONV_2D: Affine(DEPTHWISE, 1, 0, 2, 4),
    _OP.TRANSPOSE_CONV: Affine("transposed convolution kernel", 1, 2, 3, 4, (1, 2, 0, 3)),
    _OP.CONV_3D: Affine("3D convolution kernel", 1, 0, 2, 5),
    _OP.CONV_3D_TRANSPOSE: Affine("transposed 3D convolution kernel", 1, 2, 3, 5),
}
# Slots of fields in schema.fbs: fused_activation_function of each operator's options,
# FullyConnectedOptions.weights_format, DepthwiseConv2DOptions.depth_multiplier, GatherOptions.axis
# and .batch_dims, BatchMatMulOptions.adj_x and .adj_y. All of them are 0 by default.
_ACTIVATION = {
    _OP.FULLY_CONNECTED: (schema.BuiltinOptions.FullyConnectedOptions, 0),
    _OP.CONV_2D: (schema.BuiltinOptions.Conv2DOptions, 3),
    _OP.DEPTHWISE_CONV_2D: (schema.BuiltinOptions.DepthwiseConv2DOptions, 4),
    _OP.TRANSPOSE_CONV: (schema.BuiltinOptions.TransposeConvOptions, 3),
    _OP.CONV_3D: (schema.BuiltinOptions.Conv3DOptions, 4),
    _OP.CONV_3D_TRANSPOSE: (schema.BuiltinOptions.Conv3DOptions, 4),
    _OP.ADD: (schema.BuiltinOptions.AddOptions, 0),
    _OP.SUB: (schema.BuiltinOptions.SubOptions, 0),
    _OP.MUL: (schema.BuiltinOptions.MulOptions, 0),
    _OP.DIV: (schema.BuiltinOptions.DivOptions, 0),
}
_WEIGHTS_FORMAT, _DEPTH_MULTIPLIER, _AXIS, _BATCH_DIMS, _ADJ_X, _ADJ_Y = 1, 3, 0, 1, 0, 1
_LEFT_OUT = -1


def affine(op: Operator, graph: Subgraph) -> Affine | None:
    """How the operator takes a layer's kernel; None if it takes none."""
    found = _matmul(op) if op.code == _OP.BATCH_MATMUL else _AFFINE.get(op.code)
    if found is None or max(found.kernel, found.data) >= len(op.inputs) or len(op.outputs) != 1:
        return None
    kernel = op.inputs[found.kernel]
    shape = graph.tensor(kernel).shape if kernel >= 0 else ()
    options = schema.BuiltinOptions.FullyConnectedOptions
    if op.code == _OP.FULLY_CONNECTED and _option(op, options, _WEIGHTS_FORMAT):
        return None  # shuffled
    if len(shape) != found.rank or (found.kind == DEPTHWISE and shape[0] != 1):
        return None
    return found


def _matmul(op: Operator) -> Affine | None:
    """A product with a matrix on the right: what is left of MatMul where that is a variable."""
    options = schema.BuiltinOptions.BatchMatMulOptions
    if _option(op, options, _ADJ_X, "?"):
        return None
    return Affine(_DENSE, 1, 0, _LEFT_OUT, 2, (1, 0) if _option(op, options, _ADJ_Y, "?") else ())


def table_of(op: Operator) -> tuple[int, int] | None:
    """(table, indices) of an operator that looks up rows of a table: its inputs' positions."""
    if op.code == _OP.EMBEDDING_LOOKUP and len(op.inputs) == 2:
        return 1, 0
    options = schema.BuiltinOptions.GatherOptions
    if op.code == _OP.GATHER and len(op.inputs) == 2:
        plain = not _option(op, options, _AXIS, "i") and not _option(op, options, _BATCH_DIMS, "i")
        return (0, 1) if plain else None
    return None


def multiplier_of(op: Operator) -> int:
    """depth_multiplier of a DEPTHWISE_CONV_2D; 0 where it is not told."""
    return _option(op, schema.BuiltinOptions.DepthwiseConv2DOptions, _DEPTH_MULTIPLIER, "i")


def is_activated(op: Operator) -> bool:
    """Whether the operator passes its result through a fused activation."""
    place = _ACTIVATION.get(op.code)
    return place is not None and _option(op, *place) != 0


def _option(op: Operator, member: int, slot: int, kind: str = "b") -> int:
    options = op.options(member)
    return options.scalar(slot, kind) if options is not None else 0


def keras_shape(kind: str, axes: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in Keras's order of axes of a constant that an operator takes.

    A depthwise kernel stays flat, (height, width, channels * multiplier): what the multiplier is
    shows in the variable's shape. A bias is one axis; gamma and beta lose their leading axes of 1.
    """
    if kind == DEPTHWISE:
        return shape[1:]
    if kind == BIAS:
        count = 1
        for size in shape:
            count *= size
        return (count,)
    if kind in (GAMMA, BETA):
        first = next((i for i, size in enumerate(shape) if size != 1), max(len(shape) - 1, 0))
        return shape[first:]
    return tuple(shape[axis] for axis in axes) if axes else shape
