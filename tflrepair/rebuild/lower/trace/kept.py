"""Operators that the converter makes builtins of by itself, once their types allow it."""

from __future__ import annotations

from tflrepair.rebuild.lower.registry import words

KEPT = frozenset(
    words("""
    Abs Add AddV2 All Any ArgMax ArgMin AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3
    BatchToSpaceND BiasAdd BroadcastTo Cast Ceil Concat ConcatV2 Cos Cumsum DepthToSpace Div Elu
    Einsum Equal Exp ExpandDims Fill Floor FloorMod Gather GatherNd GatherV2 Greater
    GreaterEqual Inv LeakyRelu Less LessEqual Log LogSoftmax LogicalAnd LogicalNot LogicalOr
    MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad Mul Neg NotEqual OneHot Pack Pad PadV2
    Pow Prod Range Rank RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear
    ResizeNearestNeighbor ReverseV2 Round Rsqrt ScatterNd Select SelectV2 Shape Sigmoid Sign Sin
    Size Slice Softmax SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference
    Squeeze StridedSlice Sub Sum Tanh Tile TopKV2 Transpose UnsortedSegmentMax
    UnsortedSegmentMin UnsortedSegmentProd Where BitwiseXor RightShift
""")
)
