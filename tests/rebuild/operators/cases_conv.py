"""Cases of convolutions, pooling and images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rebuild.operators.arrays import i32, real, scalar
from rebuild.single import Case

GEOMETRY = [  # padding (SAME, VALID), strides, dilations, activation
    (0, (1, 1), (1, 1), 0),
    (1, (1, 1), (1, 1), 1),
    (0, (2, 2), (1, 1), 3),
    (1, (2, 1), (1, 1), 0),
    (0, (1, 1), (2, 2), 2),
    (1, (1, 1), (1, 2), 0),
    (0, (2, 2), (2, 2), 0),
]
ACTIVATIONS = range(4)  # NONE, RELU, RELU_N1_TO_1, RELU6: the last two codes have no kernels


def conv_options(member: str, padding: int, stride: Any, rate: Any, code: int, **more: Any) -> Any:
    fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1], **more}
    fields |= {"dilationHFactor": rate[0], "dilationWFactor": rate[1]}
    return {member: {**fields, "fusedActivationFunction": code}}


def conv() -> Iterator[Case]:
    for n, geometry in enumerate(GEOMETRY):
        options = conv_options("Conv2DOptions", *geometry)
        inputs = [real(2, 9, 8, 3), real(5, 3, 2, 3), real(5)]
        yield Case("CONV_2D", inputs, ["float32"], options, open_dims=n == 0)
        options = conv_options("DepthwiseConv2DOptions", *geometry, depthMultiplier=1 + n % 2)
        out = 3 * (1 + n % 2)
        inputs = [real(1, 9, 9, 3), real(1, 3, 2, out), real(out)]
        yield Case("DEPTHWISE_CONV_2D", inputs, ["float32"], options)
    options = conv_options("Conv2DOptions", *GEOMETRY[0])
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
    for padding in (0, 1):
        fields = {"padding": padding, "strideD": 2, "strideH": 2, "strideW": 2}
        inputs = [i32(1, 4, 6, 4, 3), real(2, 2, 2, 3, 2), real(1, 2, 3, 2, 2), real(3)]
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
    options: dict[str, Any]
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
        kind = {"DEPTH_TO_SPACE": "DepthToSpaceOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions"}
        yield Case(op, [real(1, 4, 6, 8)], ["float32"], {kind[op]: {"blockSize": 2}})
    blocks, edges = i32(2, 2), i32([1, 1], [0, 2])
    yield Case("SPACE_TO_BATCH_ND", [real(2, 4, 4, 3), blocks, edges], ["float32"])
    yield Case("BATCH_TO_SPACE_ND", [real(8, 3, 4, 2), blocks, edges], ["float32"])
