"""Types for which the converter has no builtin, of operators that have one for others.

Measured with the converter of TensorFlow 2.21, operator by operator;
tests/rebuild/lower/test_types.py holds it against the converter at hand. Only arithmetic stands
here: what moves values about may be folded away. What is missing here is found by the converter.
"""

from __future__ import annotations

from collections.abc import Mapping

from tflrepair.rebuild.lower.registry import words

_FLOATS = words("""
    AvgPool Ceil Conv2D Conv3D DepthwiseConv2dNative Elu Floor LeakyRelu LogSoftmax Relu6 Selu
    Softmax Softplus Softsign
""")
_FLOATS_AND_COMPLEX = words("""
    Add AddV2 BatchMatMulV2 BiasAdd Cos Cumsum Div DivNoNan Exp Expm1 Log Log1p MatMul Mean Neg Pow
    Prod RealDiv Reciprocal Rsqrt Sigmoid Sin Sqrt SquaredDifference Sub Sum Tanh
    UnsortedSegmentProd UnsortedSegmentSum
""")
_REAL = words("""
    Abs Greater GreaterEqual Less LessEqual Max Maximum Min Minimum Mul Relu Square TopKV2
    UnsortedSegmentMax UnsortedSegmentMin
""")
_INTEGERS = {
    "int64": words("""
        Abs BatchMatMulV2 BiasAdd MatMul MaxPool Relu6 Sign UnsortedSegmentMax UnsortedSegmentMin
        UnsortedSegmentProd UnsortedSegmentSum
    """),
    "int32": words("BatchMatMulV2 BiasAdd Conv2D MatMul MaxPool Relu6"),
}


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    rows = {
        "float64": [*_FLOATS, *_FLOATS_AND_COMPLEX, *_REAL, "MaxPool"],
        "complex64": _FLOATS_AND_COMPLEX,
        **_INTEGERS,
    }
    for kind, names in rows.items():
        for name in names:
            found.setdefault(name, set()).add(kind)
    return {name: frozenset(kinds) for name, kinds in found.items()}


WITHOUT_BUILTIN: Mapping[str, frozenset[str]] = _table()
# With a constant beside, these may be nothing (x + 0, x * 1) or another operator.
MAY_VANISH = frozenset(words("Add AddV2 Div Mul Pow RealDiv Sub"))
