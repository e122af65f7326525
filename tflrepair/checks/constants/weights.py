"""The constants of a model that stand for real numbers, each buffer once, with figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import TflRepairError
from tflrepair.format import schema

if TYPE_CHECKING:
    from tflrepair.views.tensors import SubgraphView, TensorView
    from tflrepair.views.values import Stats

_OP = schema.BuiltinOperator
_MULTIPLIES = (
    _OP.CONV_2D, _OP.DEPTHWISE_CONV_2D, _OP.FULLY_CONNECTED, _OP.TRANSPOSE_CONV, _OP.CONV_3D,
    _OP.BATCH_MATMUL,
)  # fmt: skip
_UNPACKS = (_OP.DEQUANTIZE, _OP.DENSIFY)


def weights(
    context: AnalysisContext, *, multiplied: bool = False
) -> Iterator[tuple[TensorView, Stats]]:
    """Floats, and integers in the real numbers that they stand for.

    Args:
        multiplied: only kernels of convolutions and matrix products.
    """
    # only `scan --values` comes here, and these bring the description of every option along
    from tflrepair.views.tensors import SubgraphView
    from tflrepair.views.values import array, real, statistics

    seen: set[tuple[int, int]] = set()
    for number in range(len(context.model.subgraphs)):
        view = SubgraphView(context.model, number)
        for index in range(view.subgraph.tensor_count):
            if not view.is_constant(index):
                continue
            if multiplied and not _is_kernel(view, index):
                continue
            tensor = view.tensor(index)
            if (tensor.buffer, tensor.external) in seen or not (
                tensor.quantization or "float" in tensor.dtype
            ):
                continue
            seen.add((tensor.buffer, tensor.external))
            try:
                values = array(context.model, tensor)
            except TflRepairError:
                continue  # its size is another check's matter
            numbers = real(values, tensor.quantization)
            yield tensor, statistics(values if numbers is None else numbers)


def _is_kernel(view: SubgraphView, tensor: int) -> bool:
    """Whether it is the second input of an operator that multiplies, unpacked or not."""
    for index in view.takers.get(tensor, ()):
        operator = view.operator(index)
        if operator.code in _MULTIPLIES and tensor in operator.inputs[1:2]:
            return True
        if operator.code in _UNPACKS and any(_is_kernel(view, t) for t in operator.outputs):
            return True
    return False
