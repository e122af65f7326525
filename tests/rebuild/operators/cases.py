"""Inputs and options for each operator. Random values are drawn once, from a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rebuild.operators.arrays import RNG, i32, real, scalar, whole
from rebuild.operators.cases_conv import ACTIVATIONS, conv, image
from rebuild.operators.cases_quant import quantized, recurrent
from rebuild.single import Case


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


def reduce() -> Iterator[Case]:
    options: dict[str, Any]
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
    options: dict[str, Any]
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


def all_cases() -> Sequence[Case]:
    makers = (unary, binary, conv, image, reduce, shape, index, misc, recurrent, quantized)
    return [case for make in makers for case in make()]
