"""Which tensors have the same open batch.

Two operands whose first sizes are open may be broadcast against each other; if both come from one
tensor by operators that keep the first size, they cannot. Then no gradient is summed over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflrepair.rebuild.lower.registry import words

# The first size of the result is that of the first input (of the third for TRANSPOSE_CONV).
_KEEP = dict.fromkeys(
    words("""
    ABS AVERAGE_POOL_2D CAST CEIL CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEQUANTIZE ELU EXP FLOOR
    FULLY_CONNECTED GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG LOGICAL_NOT LOGISTIC
    LOG_SOFTMAX MAX_POOL_2D NEG PRELU QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SIGN SIN SOFTMAX SQRT SQUARE TANH
    ZEROS_LIKE CONV_3D Softplus Softsign Erf Erfc Selu Log1p Expm1 Identity
"""),
    0,
)
# The results' shape is the broadcast of all inputs.
_BROADCAST = frozenset(
    words("""
    ADD SUB MUL DIV POW MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD EQUAL NOT_EQUAL
    LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR SELECT SELECT_V2 ADD_N ATAN2
""")
)
# Gradients have the shape of what they are taken of: the position of that input.
_LIKE = {
    "ReluGrad": 1, "Relu6Grad": 1, "LeakyReluGrad": 1, "EluGrad": 1, "SeluGrad": 1,
    "SoftplusGrad": 1, "SoftsignGrad": 1, "MaxPoolGrad": 0, "TanhGrad": 0, "SigmoidGrad": 0,
}  # fmt: skip


def batch_of(name: str, inputs: Sequence[Any], origins: Sequence[Any], rank: int) -> Any:
    """The tensor whose first size the result of operator ``name`` has; None if unknown.

    Args:
        inputs: the operator's input tensors.
        origins: of each input, the tensor that its first size comes from (or itself).
        rank: of the result.
    """
    position = _KEEP.get(name, _LIKE.get(name))
    if position is not None:
        return origins[position] if position < len(origins) else None
    if name not in _BROADCAST:
        return None
    found = []
    for value, origin in zip(inputs, origins, strict=True):
        if value.shape.rank is None:
            return None
        if value.shape.rank < rank or value.shape[0] == 1:
            continue
        if value.shape[0] is not None:
            return None
        found.append(origin)
    return found[0] if found and all(origin is found[0] for origin in found) else None
