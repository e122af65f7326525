"""Inputs and options for each operator. Random values are drawn once, from a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rebuild.single import Case, Quant

RNG = np.random.default_rng(7)
ACTIVATIONS = range(4)  # NONE, RELU, RELU_N1_TO_1, RELU6: the last two codes have no kernels


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Any:
    return RNG.uniform(low, high, shape).astype(np.float32)


def whole(*shape: int, low: int = -9, high: int = 9, dtype: Any = np.int32) -> Any:
    return RNG.integers(low, high, shape, endpoint=True).astype(dtype)


def i32(*values: Any) -> Any:
    return np.array(values, np.int32)


def scalar(value: Any, dtype: Any = np.int32) -> Any:
    return np.array(value, dtype)


def unary() -> Iterator[Case]:
    plain = "ABS CEIL COS ELU EXP FLOOR HARD_SWISH LOG_SOFTMAX LOGISTIC NEG RELU RELU6"
    plain += " RELU_0_TO_1 RELU_N1_TO_1 ROUND SIGN SIN SQUARE TANH ZEROS_LIKE"
    for op in plain.split():
        yield Case(op, [real(2, 5) * 3], ["float32"])
        yield Case(op, [real(1, 3, 2, 4)], ["float32"], open_dims=True)
    for op in ("LOG", "RSQRT", "SQRT"):
        yield Case(op, [real(2, 5, low=0.1)], ["float32"])
    for approximate in (False, True):
        yield Case("GELU", [real(3, 4)], ["float32"], {"GeluOptions": {"approximate": approximate}})
    for beta in (1.0, 0.5):
        yield Case("SOFTMAX", [real(2, 7)], ["float32"], {"SoftmaxOptions": {"beta": beta}})
    yield Case("SOFTMAX", [real(2, 3, 4)], ["float32"], {"SoftmaxOptions": {"beta": 1.0}})
    yield Case("LEAKY_RELU", [real(2, 5)], ["float32"], {"LeakyReluOptions": {"alpha": 0.3}})
    yield Case("PRELU", [real(2, 3, 3, 4), real(1, 1, 4)], ["float32"])
    yield Case("PRELU", [real(2, 3), real(2, 3)], ["float32"], fed=(0, 1))
    yield Case("LOGICAL_NOT", [whole(2, 3, low=0, high=1).astype(bool)], ["bool"])
    yield Case("ABS", [whole(4)], ["int32"])
    yield Case("NEG", [whole(4)], ["int32"])
    yield Case("NEG", [whole(4, dtype=np.int64)], ["int64"])
    yield Case("SIGN", [whole(6)], ["int32"])
    yield Case("ZEROS_LIKE", [whole(2, 2)], ["int32"])
    wave = (real(2, 3) + 1j * real(2, 3)).astype(np.complex64)
    yield Case("COMPLEX_ABS", [wave], ["float32"])
    yield Case("REAL", [wave], ["float32"])
    yield Case("IMAG", [wave], ["float32"])


def binary() -> Iterator[Case]:
    shapes = [((2, 3), (2, 3)), ((2, 1, 4), (3, 1)), ((4,), ())]
    fused = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}
    for op, member in fused.items():
        for code in ACTIVATIONS:
            x, y = (real(*shape, low=0.5) for shape in shapes[code % 3])
            options = {member: {"fusedActivationFunction": code}}
            yield Case(op, [x * 4 - 6, y], ["float32"], options, fed=(0, 1), open_dims=code == 0)
        yield Case(op, [whole(2, 3), whole(2, 3, low=1)], ["int32"], {member: {}}, fed=(0, 1))
    for op in ("ADD", "SUB", "MUL"):
        x, y = whole(2, 3, dtype=np.int64), whole(3, dtype=np.int64)
        yield Case(op, [x, y], ["int64"], {fused[op]: {}}, fed=(0, 1))
    for op in ("MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"):
        for first, second in shapes[:2]:
            yield Case(op, [real(*first), real(*second)], ["float32"], fed=(0, 1))
        yield Case(op, [whole(2, 3), whole(2, 3)], ["int32"], fed=(0, 1))
    for op in ("FLOOR_DIV", "FLOOR_MOD"):
        yield Case(op, [real(2, 3), real(2, 3, low=0.5)], ["float32"], fed=(0, 1))
        yield Case(op, [whole(2, 6), whole(6, low=1, high=5)], ["int32"], fed=(0, 1))
        yield Case(op, [whole(6), whole(6, low=-5, high=-1)], ["int32"], fed=(0, 1))
    yield Case("POW", [real(2, 3, low=0.1), real(2, 3)], ["float32"], fed=(0, 1))
    yield Case("POW", [whole(4), whole(4, low=0, high=4)], ["int32"], fed=(0, 1))
    yield Case("ATAN2", [real(2, 3), real(2, 3)], ["float32"], fed=(0, 1))
    for op in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
        x = whole(3, 4, low=0, high=2)
        yield Case(op, [x, whole(4, low=0, high=2)], ["bool"], fed=(0, 1))
        yield Case(op, [x.astype(np.float32), real(3, 4).round()], ["bool"], fed=(0, 1))
    for op in ("LOGICAL_AND", "LOGICAL_OR"):
        x, y = (whole(2, 4, low=0, high=1).astype(bool) for _ in range(2))
        yield Case(op, [x, y], ["bool"], fed=(0, 1))
    yield Case("BITWISE_XOR", [whole(5), whole(5)], ["int32"], fed=(0, 1))
    yield Case("RIGHT_SHIFT", [whole(5), whole(5, low=0, high=3)], ["int32"], fed=(0, 1))
    yield Case("ADD_N", [real(2, 3), real(2, 3), real(2, 3)], ["float32"], fed=(0, 1, 2))
    yield Case("ADD_N", [whole(4), whole(4)], ["int32"], fed=(0, 1))
    flags = whole(2, 3, low=0, high=1).astype(bool)
    yield Case("SELECT", [flags, real(2, 3), real(2, 3)], ["float32"], fed=(0, 1, 2))
    yield Case("SELECT", [flags[:, 0], real(2, 3), real(2, 3)], ["float32"], fed=(0, 1, 2))
    yield Case("SELECT_V2", [flags, real(2, 3), real(3)], ["float32"], fed=(0, 1, 2))
    yield Case("SELECT_V2", [flags, whole(2, 3), whole()], ["int32"], fed=(0, 1, 2))


def _conv_options(member: str, padding: int, stride: Any, rate: Any, code: int, **more: Any) -> Any:
    fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1], **more}
    fields |= {"dilationHFactor": rate[0], "dilationWFactor": rate[1]}
    return {member: {**fields, "fusedActivationFunction": code}}


GEOMETRY = [  # padding (SAME, VALID), strides, dilations, activation
    (0, (1, 1), (1, 1), 0),
    (1, (1, 1), (1, 1), 1),
    (0, (2, 2), (1, 1), 3),
    (1, (2, 1), (1, 1), 0),
    (0, (1, 1), (2, 2), 2),
    (1, (1, 1), (1, 2), 0),
    (0, (2, 2), (2, 2), 0),
]


def conv() -> Iterator[Case]:
    for n, geometry in enumerate(GEOMETRY):
        options = _conv_options("Conv2DOptions", *geometry)
        inputs = [real(2, 9, 8, 3), real(5, 3, 2, 3), real(5)]
        yield Case("CONV_2D", inputs, ["float32"], options, open_dims=n == 0)
        options = _conv_options("DepthwiseConv2DOptions", *geometry, depthMultiplier=1 + n % 2)
        out = 3 * (1 + n % 2)
        inputs = [real(1, 9, 9, 3), real(1, 3, 2, out), real(out)]
        yield Case("DEPTHWISE_CONV_2D", inputs, ["float32"], options)
    options = _conv_options("Conv2DOptions", *GEOMETRY[0])
    grouped = [real(1, 5, 5, 6), real(4, 3, 3, 3), real(4)]
    yield Case("CONV_2D", grouped, ["float32"], options)
    inputs = [real(1, 5, 5, 2), real(4, 3, 3, 2), real(4)]
    yield Case("CONV_2D", inputs, ["float32"], options, fed=(0, 1, 2))
    for padding, stride, _, code in GEOMETRY[:4]:
        fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
        size = [s * k + (0 if padding == 0 else 3 - s) for s, k in zip(stride, (4, 5), strict=True)]
        inputs = [i32(1, *size, 6), real(6, 3, 3, 2), real(1, 4, 5, 2), real(6)]
        options = {"TransposeConvOptions": {**fields, "fusedActivationFunction": code}}
        yield Case("TRANSPOSE_CONV", inputs, ["float32"], options, fed=(2,))
    for padding, step, rate in ((0, 1, 1), (1, 2, 1), (0, 1, 2)):
        fields = {"padding": padding, "strideD": step, "strideH": step, "strideW": step}
        fields |= {"dilationDFactor": rate, "dilationHFactor": rate, "dilationWFactor": rate}
        inputs = [real(1, 5, 6, 5, 2), real(2, 2, 2, 2, 3), real(3)]
        yield Case("CONV_3D", inputs, ["float32"], {"Conv3DOptions": fields})
    for padding, size in ((0, (4, 6, 4)), (1, (4, 6, 4))):
        fields = {"padding": padding, "strideD": 2, "strideH": 2, "strideW": 2}
        inputs = [i32(1, *size, 3), real(2, 2, 2, 3, 2), real(1, 2, 3, 2, 2), real(3)]
        yield Case("CONV_3D_TRANSPOSE", inputs, ["float32"], {"Conv3DOptions": fields}, fed=(2,))
    for code in ACTIVATIONS:
        options = {"FullyConnectedOptions": {"fusedActivationFunction": code}}
        bias = real(4) if code else None
        yield Case("FULLY_CONNECTED", [real(3, 5), real(4, 5), bias], ["float32"], options)
    for keep in (False, True):
        options = {"FullyConnectedOptions": {"keepNumDims": keep}}
        inputs = [real(2, 3, 5), real(4, 5), real(4)]
        yield Case("FULLY_CONNECTED", inputs, ["float32"], options, open_dims=keep)
    for adj_x, adj_y in ((False, False), (True, False), (False, True), (True, True)):
        x = real(2, 5, 3) if adj_x else real(2, 3, 5)
        y = real(1, 4, 5) if adj_y else real(1, 5, 4)
        options = {"BatchMatMulOptions": {"adjX": adj_x, "adjY": adj_y}}
        yield Case("BATCH_MATMUL", [x, y], ["float32"], options, fed=(0, 1))
    for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):
        for padding, stride, _, code in GEOMETRY[:4]:
            fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
            fields |= {"filterHeight": 3, "filterWidth": 2, "fusedActivationFunction": code}
            yield Case(op, [real(2, 7, 8, 3)], ["float32"], {"Pool2DOptions": fields})


def image() -> Iterator[Case]:
    for op, member in (
        ("RESIZE_BILINEAR", "ResizeBilinearOptions"),
        ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
    ):
        for align, half in ((False, False), (True, False), (False, True)):
            options = {member: {"alignCorners": align, "halfPixelCenters": half}}
            for size in ((7, 9), (3, 2)):
                yield Case(op, [real(2, 5, 4, 3), i32(*size)], ["float32"], options)
    yield Case("L2_NORMALIZATION", [real(3, 5)], ["float32"], {"L2NormOptions": {}})
    yield Case(
        "L2_NORMALIZATION", [np.zeros((2, 3), np.float32)], ["float32"], {"L2NormOptions": {}}
    )
    fields = {"radius": 2, "bias": 1.5, "alpha": 0.3, "beta": 0.6}
    options = {"LocalResponseNormalizationOptions": fields}
    yield Case("LOCAL_RESPONSE_NORMALIZATION", [real(1, 2, 3, 7)], ["float32"], options)
    corners = real(8, 2, low=0, high=3)
    boxes = np.concatenate([corners, corners + real(8, 2, low=0.5, high=2)], 1)
    scores = np.linspace(0.1, 0.9, 8, dtype=np.float32)[[3, 1, 7, 0, 5, 2, 6, 4]]
    limits = [scalar(5), scalar(0.3, np.float32), scalar(0.2, np.float32)]
    kinds = [("int32", (5,)), ("int32", ())]
    yield Case("NON_MAX_SUPPRESSION_V4", [boxes, scores, *limits], kinds, fed=(0, 1))
    kinds = [("int32", (5,)), ("float32", (5,)), ("int32", ())]
    for sigma, overlap in ((0.0, 0.3), (0.5, 1.0)):
        limits[1] = scalar(overlap, np.float32)
        inputs = [boxes, scores, *limits, scalar(sigma, np.float32)]
        yield Case("NON_MAX_SUPPRESSION_V5", inputs, kinds, fed=(0, 1))
    yield Case("RFFT2D", [real(2, 8, 8), i32(8, 8)], ["complex64"], tolerance=1e-4)
    yield Case("RFFT2D", [real(1, 4, 16), i32(4, 8)], ["complex64"], tolerance=1e-4)
    for op in ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"):
        member = {"DEPTH_TO_SPACE": "DepthToSpaceOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions"}
        yield Case(op, [real(1, 4, 6, 8)], ["float32"], {member[op]: {"blockSize": 2}})
    blocks, edges = i32(2, 2), i32([1, 1], [0, 2])
    yield Case("SPACE_TO_BATCH_ND", [real(2, 4, 4, 3), blocks, edges], ["float32"])
    yield Case("BATCH_TO_SPACE_ND", [real(8, 3, 4, 2), blocks, edges], ["float32"])


def reduce() -> Iterator[Case]:
    for op in ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"):
        for keep, axes in ((False, i32(1)), (True, i32(0, 2)), (False, i32(-1)), (True, scalar(1))):
            options = {"ReducerOptions": {"keepDims": keep}}
            yield Case(op, [real(2, 3, 4), axes], ["float32"], options)
        yield Case(op, [whole(2, 6, low=1, high=5), i32(1)], ["int32"], {"ReducerOptions": {}})
    for op in ("REDUCE_ANY", "REDUCE_ALL"):
        for keep in (False, True):
            flags = whole(3, 4, low=0, high=1).astype(bool)
            yield Case(op, [flags, i32(1)], ["bool"], {"ReducerOptions": {"keepDims": keep}})
    for op, member in (("ARG_MAX", "ArgMaxOptions"), ("ARG_MIN", "ArgMinOptions")):
        for axis, dtype in ((1, "int64"), (-1, "int32"), (0, "int32")):
            code = {"int32": 2, "int64": 4}[dtype]
            options = {member: {"outputType": code}}
            yield Case(op, [real(3, 4), scalar(axis)], [dtype], options)
    for exclusive in (False, True):
        for reverse in (False, True):
            options = {"CumsumOptions": {"exclusive": exclusive, "reverse": reverse}}
            yield Case("CUMSUM", [real(3, 4), scalar(1)], ["float32"], options)
    yield Case("CUMSUM", [whole(3, 4), scalar(-2)], ["int32"], {"CumsumOptions": {}})
    yield Case("TOPK_V2", [real(3, 6), scalar(2)], ["float32", "int32"])
    yield Case("TOPK_V2", [RNG.permutation(12).astype(np.int32), scalar(4)], ["int32", "int32"])
    yield Case("SEGMENT_SUM", [real(5, 2), i32(0, 0, 1, 1, 2)], ["float32"])
    for kind in ("MAX", "MIN", "PROD", "SUM"):
        inputs = [real(5, 2), i32(2, 0, 1, 1, 2), scalar(3)]
        yield Case(f"UNSORTED_SEGMENT_{kind}", inputs, ["float32"], fed=(0, 1))
        inputs = [whole(4), i32(2, 0, 1, 1), scalar(3)]
        yield Case(f"UNSORTED_SEGMENT_{kind}", inputs, ["int32"], fed=(0, 1))


def shape() -> Iterator[Case]:
    yield Case("RESHAPE", [real(2, 6), i32(3, -1)], ["float32"])
    yield Case("RESHAPE", [real(2, 6), i32(3, 4)], ["float32"], fed=(0, 1))
    yield Case("RESHAPE", [real(2, 6)], ["float32"], {"ReshapeOptions": {"newShape": [4, -1]}})
    yield Case("SHAPE", [real(2, 3, 4)], ["int32"], {"ShapeOptions": {"outType": 2}})
    yield Case("SHAPE", [real(2, 3)], ["int64"], {"ShapeOptions": {"outType": 4}}, open_dims=True)
    yield Case("RANK", [real(2, 3, 4)], ["int32"])
    yield Case("SQUEEZE", [real(1, 3, 1)], ["float32"], {"SqueezeOptions": {"squeezeDims": [0]}})
    yield Case("SQUEEZE", [real(1, 3, 1)], ["float32"], {"SqueezeOptions": {"squeezeDims": [-1]}})
    yield Case("SQUEEZE", [real(1, 3, 1)], ["float32"], {"SqueezeOptions": {}})
    for axis in (0, -1, 1):
        yield Case("EXPAND_DIMS", [real(2, 3), scalar(axis)], ["float32"])
    yield Case("TRANSPOSE", [real(2, 3, 4), i32(2, 0, 1)], ["float32"])
    yield Case("TRANSPOSE", [whole(2, 3, dtype=np.int64), i32(1, 0)], ["int64"])
    for axis in (0, -1, 1):
        parts = [real(2, 3), real(2, 3) * 4, real(2, 3)]
        options = {"ConcatenationOptions": {"axis": axis}}
        yield Case("CONCATENATION", parts, ["float32"], options, fed=(0, 2))
    for axis in (0, -1, 1):
        options = {"PackOptions": {"valuesCount": 2, "axis": axis}}
        yield Case("PACK", [real(2, 3), real(2, 3)], ["float32"], options, fed=(0, 1))
        count = {0: 2, -1: 4, 1: 3}[axis]
        options = {"UnpackOptions": {"num": count, "axis": axis}}
        yield Case("UNPACK", [real(2, 3, 4)], ["float32"] * count, options)
    yield Case(
        "SPLIT",
        [scalar(1), real(2, 6)],
        ["float32"] * 3,
        {"SplitOptions": {"numSplits": 3}},
        fed=(1,),
    )
    inputs = [real(2, 6), i32(1, 3, 2), scalar(1)]
    yield Case("SPLIT_V", inputs, ["float32"] * 3, {"SplitVOptions": {"numSplits": 3}})
    inputs = [real(7, 2), i32(1, -1), scalar(0)]
    yield Case("SPLIT_V", inputs, ["float32"] * 2, {"SplitVOptions": {"numSplits": 2}})
    yield Case("SLICE", [real(4, 5), i32(1, 0), i32(2, -1)], ["float32"])
    yield Case("SLICE", [whole(4, 5), i32(1, 2), i32(1, 2)], ["int32"], fed=(0, 1))
    yield from strided()
    yield Case(
        "DYNAMIC_UPDATE_SLICE", [real(4, 5), real(2, 3), i32(1, 2)], ["float32"], fed=(0, 1, 2)
    )
    yield Case(
        "DYNAMIC_UPDATE_SLICE", [real(4, 5), real(2, 3), i32(3, -1)], ["float32"], fed=(0, 1, 2)
    )
    edges = i32([1, 2], [0, 1])
    yield Case("PAD", [real(2, 3), edges], ["float32"])
    yield Case("PAD", [whole(2, 3), edges.astype(np.int64)], ["int32"])
    yield Case("PADV2", [real(2, 3), edges, scalar(1.5, np.float32)], ["float32"])
    for mode, wide in ((0, edges), (1, i32([2, 2], [0, 3]))):
        yield Case(
            "MIRROR_PAD",
            [real(2, 4), wide if mode else i32([1, 1], [0, 3])],
            ["float32"],
            {"MirrorPadOptions": {"mode": mode}},
        )
    yield Case("TILE", [real(2, 3), i32(2, 1)], ["float32"])
    yield Case("TILE", [whole(2, 3), i32(1, 3)], ["int32"], fed=(0, 1))
    yield Case("BROADCAST_TO", [real(3, 1), i32(2, 3, 4)], ["float32"], version=2)
    yield Case("BROADCAST_ARGS", [i32(2, 1, 4), i32(3, 1)], ["int32"], fed=(0, 1))
    yield Case("FILL", [i32(2, 3), scalar(1.5, np.float32)], ["float32"], fed=(0, 1))
    yield Case("FILL", [i32(4), scalar(7)], ["int32"], fed=(1,))
    yield Case("REVERSE_V2", [real(2, 3, 4), i32(1)], ["float32"])
    options = {"ReverseSequenceOptions": {"seqDim": 1, "batchDim": 0}}
    yield Case("REVERSE_SEQUENCE", [real(3, 5), i32(2, 5, 1)], ["float32"], options, fed=(0, 1))
    yield Case("MATRIX_DIAG", [real(2, 3)], ["float32"])
    yield Case("MATRIX_SET_DIAG", [real(2, 3, 4), real(2, 3)], ["float32"], fed=(0, 1))
    yield Case("DILATE", [real(3, 2), i32(2, 3), scalar(-1.0, np.float32)], ["float32"])


def strided() -> Iterator[Case]:
    def case(begin: Any, end: Any, step: Any, **masks: Any) -> Case:
        inputs = [real(4, 5, 6), i32(*begin), i32(*end), i32(*step)]
        return Case("STRIDED_SLICE", inputs, ["float32"], {"StridedSliceOptions": masks})

    yield case((1, 0, 2), (3, 5, 6), (1, 2, 1))
    yield case((0, 1, 0), (4, 3, 6), (1, 1, 2), beginMask=1, endMask=4)
    yield case((2, 0, 0), (3, 5, 6), (1, 1, 1), shrinkAxisMask=1)
    yield case((3, 4, 5), (0, 0, 0), (-1, -2, -3))
    yield case((0, 1), (0, 3), (1, 1), ellipsisMask=1)
    yield case((0, 0, 1), (0, 4, 3), (1, 1, 1), newAxisMask=1)
    yield case((1, 1, 1), (2, 3, 2), (1, 1, 1), offset=True)


def index() -> Iterator[Case]:
    for axis, batch in ((0, 0), (1, 0), (1, 1), (-1, 0)):
        options = {"GatherOptions": {"axis": axis, "batchDims": batch}}
        indices = i32([1, 0], [2, 1]) if batch else i32(1, 0, 1)
        yield Case("GATHER", [real(2, 3, 4), indices], ["float32"], options, fed=(0, 1))
    text = np.array([b"one", b"two", b"three"], object)
    yield Case("GATHER", [text, i32(2, 0)], ["string"], {"GatherOptions": {}}, fed=(1,))
    yield Case("GATHER_ND", [real(3, 4), i32([0, 1], [2, 3])], ["float32"], fed=(0, 1))
    yield Case("GATHER_ND", [whole(3, 4), i32([0], [2])], ["int32"], fed=(0, 1))
    inputs = [i32([1], [3], [1]), real(3, 2), i32(5, 2)]
    yield Case("SCATTER_ND", inputs, ["float32"], fed=(0, 1))
    inputs = [i32([0, 1], [2, 0]), i32(3, 2), real(2), scalar(-1.0, np.float32)]
    yield Case("SPARSE_TO_DENSE", inputs, ["float32"], {"SparseToDenseOptions": {}}, fed=(2,))
    for axis in (-1, 0):
        values = [scalar(2.0, np.float32), scalar(-1.0, np.float32)]
        options = {"OneHotOptions": {"axis": axis}}
        yield Case("ONE_HOT", [i32([0, 2], [1, 3]), scalar(3), *values], ["float32"], options)
    yield Case("EMBEDDING_LOOKUP", [i32(2, 0, 2), real(4, 3)], ["float32"])
    yield Case("WHERE", [whole(3, 4, low=0, high=1).astype(bool)], ["int64"])
    options = {"UniqueOptions": {"idxOutType": 2}}
    yield Case("UNIQUE", [i32(3, 1, 3, 2, 1)], ["int32", "int32"], options)
    options = {"UniqueOptions": {"idxOutType": 4}}
    yield Case("UNIQUE", [real(4).round()], ["float32", "int64"], options)
    options = {"BucketizeOptions": {"boundaries": [-1.0, 0.5, 1.0]}}
    yield Case("BUCKETIZE", [real(3, 4)], ["int32"], options)


def misc() -> Iterator[Case]:
    for dtype in ("int32", "int64", "float16", "float64", "bool", "uint8", "int16"):
        values = real(6, low=0, high=9)
        values[0] = 0
        yield Case("CAST", [values], [dtype], {"CastOptions": {}})
    yield Case("CAST", [whole(5, low=0, high=1).astype(bool)], ["float32"])
    yield Case("CAST", [whole(5, dtype=np.int8)], ["int32"])
    yield Case("BITCAST", [real(4)], ["int32"])
    yield Case("BITCAST", [whole(2, 4, dtype=np.uint8, low=0)], ["uint32"])
    limits = [scalar(1), scalar(9), scalar(3)]
    yield Case("RANGE", limits, ["int32"], fed=(0, 1, 2))
    limits = [scalar(v, np.float32) for v in (0.5, 3.0, 0.75)]
    yield Case("RANGE", limits, ["float32"], fed=(1,))


def recurrent() -> Iterator[Case]:
    for major, code in ((False, 4), (True, 4), (False, 1)):
        options = {"timeMajor": major, "fusedActivationFunction": code}
        x = real(3, 2, 4) if major else real(2, 3, 4)
        weights, state = [real(5, 4) / 2, real(5, 5) / 2, real(5)], np.zeros((2, 5), np.float32)
        sequence = {"SequenceRNNOptions": options}
        yield Case(
            "UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights, state], ["float32"], sequence, states=(4,)
        )
    x, state = real(2, 4), np.zeros((2, 5), np.float32)
    options = {"RNNOptions": {"fusedActivationFunction": 4}}
    yield Case(
        "RNN", [x, real(5, 4), real(5, 5) / 2, real(5), state], ["float32"], options, states=(4,)
    )
    for rank in (1, 2):
        memory = np.zeros((2, 6 * 3), np.float32)
        inputs = [real(2, 4), real(6, 4), real(6, 3), real(6 // rank), memory]
        yield Case("SVDF", inputs, ["float32"], {"SVDFOptions": {"rank": rank}}, states=(4,))
    for variant in ("full", "coupled", "peephole", "projection", "norm"):
        for major in (False, True):
            yield _lstm(variant, major)
    fields = {"fusedActivationFunction": 4, "cellClip": 0.5}
    inputs = [real(2, 4), *_lstm_weights("full", 2)]
    kinds = ["float32"]
    yield Case("LSTM", inputs, kinds, {"LSTMOptions": fields}, states=(18, 19))


def _lstm(variant: str, major: bool) -> Case:
    x = real(3, 2, 4) if major else real(2, 3, 4)
    fields: dict[str, Any] = {"timeMajor": major, "fusedActivationFunction": 4}
    fields |= {"cellClip": 0.4} if variant == "peephole" else {}
    fields |= {"projClip": 0.3} if variant == "projection" else {}
    options = {"UnidirectionalSequenceLSTMOptions": fields}
    inputs = [x, *_lstm_weights(variant, 2)]
    return Case("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, ["float32"], options, states=(18, 19))


def _lstm_weights(variant: str, batch: int) -> list[Any]:
    """The 19 or 23 inputs after the first: 4 features, 5 cells, 3 outputs with a projection."""
    out = 3 if variant == "projection" else 5
    inputs: list[Any] = [real(5, 4) / 2 for _ in range(4)]
    inputs += [real(5, out) / 2 for _ in range(4)]
    inputs += [real(5) for _ in range(3)] if variant == "peephole" else [None] * 3
    inputs += [real(5) for _ in range(4)]
    inputs += [real(3, 5), real(3)] if variant == "projection" else [None, None]
    inputs += [np.zeros((batch, out), np.float32), np.zeros((batch, 5), np.float32)]
    if variant == "norm":
        inputs += [real(5) for _ in range(4)]
    if variant == "coupled":
        inputs[0] = inputs[4] = inputs[11] = None
    return inputs


def quantized() -> Iterator[Case]:
    near, far = Quant([0.05], [3]), Quant([0.11], [-7])
    small = whole(2, 6, low=-120, high=120, dtype=np.int8)
    yield Case("QUANTIZE", [real(2, 6)], ["int8"], quant={1: near})
    yield Case("QUANTIZE", [real(2, 6)], ["uint8"], quant={1: Quant([0.02], [128])})
    yield Case("QUANTIZE", [real(2, 6)], ["int16"], quant={1: Quant([0.001], [0])})
    yield Case("QUANTIZE", [small], ["int8"], quant={0: near, 1: far}, tolerance=1)
    yield Case("DEQUANTIZE", [small], ["float32"], quant={0: near})
    yield Case(
        "DEQUANTIZE", [whole(4, low=0, dtype=np.uint8)], ["float32"], quant={0: Quant([0.5], [4])}
    )
    yield Case("DEQUANTIZE", [real(5).astype(np.float16)], ["float32"])
    columns = Quant([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0] * 6, 1)
    yield Case("DEQUANTIZE", [small], ["float32"], quant={0: columns})
    fields = {"min": -1.0, "max": 1.5, "numBits": 8}
    yield Case("FAKE_QUANT", [real(3, 4)], ["float32"], {"FakeQuantOptions": fields})
    both = {0: near, 1: near, 2: far}
    other = whole(2, 6, low=-120, high=120, dtype=np.int8)
    for op, member in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")):
        yield Case(op, [small, other], ["int8"], {member: {}}, fed=(0, 1), quant=both, tolerance=1)
    yield Case("RELU", [small], ["int8"], quant={0: near, 1: near}, tolerance=1)
    sigmoid = Quant([1 / 256], [-128])
    yield Case("LOGISTIC", [small], ["int8"], quant={0: near, 1: sigmoid}, tolerance=1)
    yield Case(
        "SOFTMAX",
        [small],
        ["int8"],
        {"SoftmaxOptions": {"beta": 1.0}},
        quant={0: near, 1: sigmoid},
        tolerance=1,
    )
    same = {0: near, 2: near}
    yield Case("RESHAPE", [small, i32(3, 4)], ["int8"], quant=same)
    yield Case("PAD", [small, i32([1, 0], [0, 2])], ["int8"], quant=same)
    yield Case(
        "MEAN",
        [small, i32(1)],
        ["int8"],
        {"ReducerOptions": {}},
        quant={0: near, 2: far},
        tolerance=1,
    )
    kernel = whole(4, 6, low=-127, high=127, dtype=np.int8)
    quant = {0: near, 1: Quant([0.01], [0]), 2: Quant([0.0005], [0]), 3: far}
    inputs = [small, kernel, whole(4, low=-900, high=900)]
    yield Case(
        "FULLY_CONNECTED", inputs, ["int8"], {"FullyConnectedOptions": {}}, quant=quant, tolerance=1
    )
    scales = [0.01, 0.02, 0.03]
    quant = {
        0: near,
        1: Quant(scales, [0] * 3, 0),
        2: Quant([s * 0.05 for s in scales], [0] * 3, 0),
        3: Quant([0.5], [1]),
    }
    pixels = whole(1, 5, 5, 2, low=-120, high=120, dtype=np.int8)
    inputs = [
        pixels,
        whole(3, 3, 3, 2, low=-127, high=127, dtype=np.int8),
        whole(3, low=-900, high=900),
    ]
    yield Case(
        "CONV_2D",
        inputs,
        ["int8"],
        _conv_options("Conv2DOptions", *GEOMETRY[2]),
        quant=quant,
        tolerance=1,
    )
    pool = {"padding": 0, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        yield Case(
            op, [pixels], ["int8"], {"Pool2DOptions": pool}, quant={0: near, 1: near}, tolerance=1
        )


def all_cases() -> Sequence[Case]:
    makers = (unary, binary, conv, image, reduce, shape, index, misc, recurrent, quantized)
    return [case for make in makers for case in make()]
