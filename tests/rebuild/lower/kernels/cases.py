"""Inputs for each lowering: strides, paddings, dilations, ties, edges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import tensorflow as tf

from rebuild.lower.kernels.single import Case, ShapeOf

RNG = np.random.default_rng(11)
Feed = dict[str, Any]


def real(*shape: int, scale: float = 1.0) -> Any:
    return RNG.normal(0, scale, shape).astype(np.float32)


def ties(*shape: int) -> Any:
    """Few different values, so that windows have several maxima."""
    return RNG.integers(-1, 2, shape).astype(np.float32)


def activations() -> Iterator[Case]:
    edge = np.array([[-7.0, -1.0, -0.0, 0.0, 1e-30, 0.5, 6.0, 6.5, 30.0, -30.0]], np.float32)
    x = np.concatenate([edge, real(4, 10, scale=3)])
    for op in ("ReluGrad", "Relu6Grad", "SoftplusGrad", "SoftsignGrad"):
        yield Case(op, {"gradients": real(5, 10), "features": x})
    yield Case("LeakyReluGrad", {"gradients": real(5, 10), "features": x}, {}, {"alpha": 0.3})
    for op in ("EluGrad", "SeluGrad"):
        yield Case(op, {"gradients": real(5, 10), "outputs": np.maximum(x, -0.9)})
    # where we differ on purpose, which docs/training.md says: TensorFlow's product gives NaN
    off = np.array([[-1.0, -1.0, 0.0, 2.0]], np.float32)
    slopes = np.array([[np.inf, np.nan, -np.inf, 3.0]], np.float32)
    for op in ("ReluGrad", "Relu6Grad"):
        fed = {"gradients": slopes, "features": off}
        yield Case(op, fed, truth=lambda **_: np.array([[0.0, 0, 0, 3]]), note="off")
    for op in ("Softplus", "Softsign", "Selu"):
        yield Case(op, {"features": x})
    for op in ("TanhGrad", "SigmoidGrad", "SqrtGrad", "RsqrtGrad", "ReciprocalGrad"):
        yield Case(op, {"y": real(5, 10) ** 2 + 0.1, "dy": real(5, 10)})


def special() -> Iterator[Case]:
    x = np.concatenate([np.linspace(-5, 5, 401), np.geomspace(1e-6, 1, 39)]).astype(np.float32)
    x = x.reshape(4, 110)
    lost = np.array([[np.nan, 0.1, np.nan, -3.0], [2.0, np.nan, np.nan, 0.0]], np.float32)
    for op in ("Erf", "Expm1", "Erfc"):
        yield Case(op, {"x": x})
        yield Case(op, {"x": lost}, note="NaN")
    yield Case("Log1p", {"x": np.abs(x)})
    a, b = ties(4, 6), real(4, 6) ** 2
    for op in ("Xdivy", "Xlogy", "Xlog1py", "DivNoNan", "MulNoNan"):
        other = b * (a > -1) if op in ("DivNoNan", "MulNoNan") else b
        yield Case(op, {"x": a, "y": other.astype(np.float32)})
    yield Case("L2Loss", {"t": real(4, 5)})


def losses() -> Iterator[Case]:
    logits = real(4, 7, scale=5)
    labels = np.eye(7, dtype=np.float32)[[0, 3, 6, 2]]
    soft = np.abs(real(4, 7))
    op = "SoftmaxCrossEntropyWithLogits"
    yield Case(op, {"features": logits, "labels": labels})
    yield Case(op, {"features": logits, "labels": soft}, note="soft")
    lost = logits.copy()
    lost[[0, 2], [1, 6]] = np.nan
    yield Case(op, {"features": lost, "labels": labels}, note="NaN")
    op = "SparseSoftmaxCrossEntropyWithLogits"
    for kind in (np.int32, np.int64):
        rows = np.array([0, 3, 6, 2], kind)
        yield Case(op, {"features": logits, "labels": rows}, note=str(kind))
        yield Case(op, {"features": lost, "labels": rows}, note=f"{kind} NaN")


# size, kernel, stride, dilation, padding
GEOMETRY = [
    (7, 3, 1, 1, "SAME"),
    (7, 3, 1, 1, "VALID"),
    (8, 3, 2, 1, "SAME"),
    (8, 3, 2, 1, "VALID"),
    (7, 2, 3, 1, "SAME"),
    (9, 3, 1, 2, "SAME"),
    (9, 2, 1, 3, "VALID"),
    (6, 1, 1, 1, "SAME"),
    (6, 1, 2, 1, "VALID"),
    (5, 5, 1, 1, "VALID"),
    (8, 3, 2, 1, "EXPLICIT"),
    (4, 3, 1, 1, "EXPLICIT"),
]


def _attributes(stride: int, dilation: int, padding: str) -> Feed:
    found: Feed = {
        "strides": [1, stride, stride, 1],
        "padding": padding,
        "dilations": [1, dilation, dilation, 1],
    }
    if padding == "EXPLICIT":
        found["explicit_paddings"] = [0, 0, 2, 1, 0, 3, 0, 0]
    return found


def gradients(stem: str, x: Any, w: Any, out: Any, attributes: Feed, **more: Any) -> Iterator[Case]:
    """By the filter and by the input. ``out``: the sizes of what the convolution gives."""
    by_filter, by_input = more.pop("truths", (None, None))
    backprop, version = f"{stem}Backprop", "V2" if stem == "Conv3D" else ""
    sizes = np.array(w.shape, np.int32)
    fed = {"input": x, "out_backprop": real(*out)}
    fixed: Feed = {"filter_sizes": sizes}
    yield Case(f"{backprop}Filter{version}", fed, fixed, attributes, truth=by_filter, **more)
    fed = {"_x": x, "out_backprop": real(*out)}
    fixed = {"input_sizes": ShapeOf("_x"), "filter": w}
    yield Case(f"{backprop}Input{version}", fed, fixed, attributes, truth=by_input, **more)


def convolutions() -> Iterator[Case]:
    for size, kernel, stride, dilation, padding in GEOMETRY:
        a = _attributes(stride, dilation, padding)
        x, w = real(3, size, size + 1, 4), real(kernel, kernel + (kernel == 2), 4, 6)
        y = _output(x, w, a)
        yield from gradients("Conv2D", x, w, y, a)
        if dilation == 1:
            plain = {k: v for k, v in a.items() if k != "dilations"}
            for multiplier in (1, 2):
                v = real(*w.shape[:2], 4, multiplier)
                out = (*y[:3], 4 * multiplier)
                yield from gradients("DepthwiseConv2dNative", x, v, out, plain)
    a = _attributes(2, 1, "SAME")
    x, w = real(3, 6, 6, 4), real(3, 3, 2, 6)  # two groups
    yield from gradients("Conv2D", x, w, _output(x, w, a), a, note="groups")
    for padding, stride in (("SAME", 1), ("VALID", 2)):
        three = {"strides": [1, stride, stride, stride, 1], "padding": padding}
        x, w = real(2, 5, 6, 5, 3), real(3, 2, 3, 3, 4)
        out = tf.raw_ops.Conv3D(input=x, filter=w, **three).shape
        yield from gradients("Conv3D", x, w, out, three)
    a = _attributes(2, 1, "EXPLICIT")
    x, w = real(2, 7, 7, 3), real(3, 3, 3, 2)
    for op in ("Conv2D", "DepthwiseConv2dNative"):
        yield Case(op, {"input": x}, {"filter": w}, a)


def _output(x: Any, w: Any, attributes: Feed) -> Any:
    return tf.raw_ops.Conv2D(input=x, filter=w, **attributes).shape


def pooling() -> Iterator[Case]:
    for size, kernel, stride, padding in (
        (8, 2, 2, "VALID"), (7, 2, 2, "VALID"), (7, 2, 2, "SAME"), (8, 3, 2, "SAME"),
        (8, 3, 2, "VALID"), (6, 3, 1, "SAME"), (6, 2, 3, "VALID"), (6, 3, 3, "SAME"),
    ):  # fmt: skip
        a: Feed = {
            "ksize": [1, kernel, kernel, 1],
            "strides": [1, stride, stride, 1],
            "padding": padding,
        }
        for make in (real, ties):
            x = make(3, size, size, 2)
            y = tf.raw_ops.MaxPool(input=x, **a).numpy()
            fed = {"orig_input": x, "orig_output": y, "grad": real(*y.shape)}
            yield Case("MaxPoolGrad", fed, {}, a, note=make.__name__)
        fed = {"_x": x, "grad": real(*y.shape)}
        yield Case("AvgPoolGrad", fed, {"orig_input_shape": ShapeOf("_x")}, a)
    for stride, padding in ((2, "SAME"), (1, "VALID"), (2, "VALID")):
        a = {
            "ksize": [1, 2, 2, 2, 1],
            "strides": [1, stride, stride, stride, 1],
            "padding": padding,
        }
        x = ties(2, 5, 4, 5, 2)
        for op in ("MaxPool3D", "AvgPool3D"):
            yield Case(op, {"input": real(2, 5, 4, 5, 2)}, {}, a)
        y = tf.raw_ops.MaxPool3D(input=x, **a).numpy()
        fed = {"orig_input": x, "orig_output": y, "grad": real(*y.shape)}
        yield Case("MaxPool3DGrad", fed, {}, a)
        fed = {"_x": x, "grad": real(*y.shape)}
        yield Case("AvgPool3DGrad", fed, {"orig_input_shape": ShapeOf("_x")}, a)


def resizing() -> Iterator[Case]:
    flags = [{"align_corners": c, "half_pixel_centers": h} for c, h in ((0, 0), (1, 0), (0, 1))]
    for (old, new), flag in product((((4, 5), (8, 10)), ((7, 6), (3, 4))), flags):
        a = {name: bool(value) for name, value in flag.items()}
        fed = {"grads": real(2, *new, 3), "original_image": real(2, *old, 3)}
        yield Case("ResizeBilinearGrad", fed, {}, a)
        fed = {"grads": real(2, *new, 3)}
        yield Case("ResizeNearestNeighborGrad", fed, {"size": np.array(old, np.int32)}, a)
    for mode, pads in (
        ("REFLECT", [[0, 0], [2, 1], [0, 3], [0, 0]]),
        ("SYMMETRIC", [[0, 0], [2, 1], [3, 0], [1, 1]]),
    ):
        grown = [s + sum(p) for s, p in zip((2, 5, 5, 3), pads, strict=True)]
        fixed = {"paddings": np.array(pads, np.int32)}
        yield Case("MirrorPadGrad", {"input": real(*grown)}, fixed, {"mode": mode})


def normalization() -> Iterator[Case]:
    x, scale, offset = real(3, 4, 5, 6), real(6) ** 2 + 0.5, real(6)
    mean, variance = real(6), real(6) ** 2 + 0.5
    for training, factor in ((True, 1.0), (True, 0.3), (False, 1.0)):
        a = {"epsilon": 1e-3, "exponential_avg_factor": factor, "is_training": training}
        fixed = {"scale": scale, "offset": offset, "mean": mean, "variance": variance}
        yield Case("FusedBatchNormV3", {"x": x}, fixed, a, outputs=(0, 1, 2))
    for training in (True, False):
        a = {"epsilon": 1e-3, "is_training": training}
        *_, m, v, _ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=scale, offset=offset, mean=mean, variance=variance, **a
        )
        fixed = {"scale": scale, "reserve_space_1": m.numpy(), "reserve_space_2": v.numpy()}
        fixed["reserve_space_3"] = np.zeros(0, np.float32)
        fed = {"y_backprop": real(3, 4, 5, 6), "x": x}
        yield Case("FusedBatchNormGradV3", fed, fixed, a, outputs=(0, 1, 2))


def slices() -> Iterator[Case]:
    shape = (4, 7, 6, 3)
    x = real(*shape)
    picks: list[Any] = [
        np.s_[:, 1:4], np.s_[:, ::2], np.s_[:, 5:1:-2], np.s_[:, ::-1, 1], np.s_[..., -2],
        np.s_[:, None, 2:, :-1], np.s_[:, -3:-1, 1:6:3], np.s_[:, 9:, :], np.s_[:, :, 3, 0],
        np.s_[:, 2:2], np.s_[:, -9:3],
    ]  # fmt: skip
    for pick in picks:
        yield _slice(x, pick, opened=True)
    for pick in (np.s_[1:], np.s_[:-1], np.s_[::-1], np.s_[-2], np.s_[1:3, 2], np.s_[0]):
        yield _slice(x, pick, opened=False)


def _slice(x: Any, pick: Any, opened: bool) -> Case:
    with tf.Graph().as_default() as graph:
        tf.constant(x)[pick]
        node = next(op for op in graph.get_operations() if op.type == "StridedSlice")
        bounds = [tf.get_static_value(t) for t in node.inputs[1:]]
        masks = {name: node.get_attr(name) for name in (
            "begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"
        )}  # fmt: skip
    fed = {"_x": x, "dy": real(*x[pick].shape)}
    fixed = dict(zip(("begin", "end", "strides"), bounds, strict=True))
    return Case(
        "StridedSliceGrad",
        fed,
        {"shape": ShapeOf("_x"), **fixed},
        masks,
        opened=opened,
        note=str(pick),
    )


def others() -> Iterator[Case]:
    x, rows = real(5, 3), np.array([[0], [3], [0]], np.int32)
    for op in ("TensorScatterAdd", "TensorScatterSub"):
        fed = {"tensor": x, "updates": real(3, 3)}
        yield Case(op, fed, {"indices": rows}, opened=False)
    fed = {"tensor": x, "updates": real(2, 3)}
    rows = np.array([[4], [1]], np.int32)
    yield Case("TensorScatterUpdate", fed, {"indices": rows}, opened=False)
    fed = {"input": np.array([0, 3, 3, 1], np.int32)}
    weights = np.zeros(0, np.float32)
    yield Case("DenseBincount", fed, {"size": np.int32(5), "weights": weights}, opened=False)


def bits() -> Iterator[Case]:
    edge = np.array([[-(2**31), -1, 0, 1, 2**31 - 1, -(2**16), 2**16 - 1, 5]], np.int64)
    x = np.concatenate([edge, RNG.integers(-(2**31), 2**31, (6, 8))]).astype(np.int32)
    y = np.concatenate([x[1:], x[:1]])[:, ::-1].copy()
    for op in ("BitwiseAnd", "BitwiseOr"):
        yield Case(op, {"x": x, "y": y}, rtol=0)
        yield Case(op, {"x": x}, {"y": np.int32(-(2**31))}, rtol=0, note="sign")
    yield Case("Invert", {"x": x}, rtol=0)


def integers() -> Iterator[Case]:
    edge = [[-(2**63), -(2**63), 2**63 - 1, 2**63 - 1, -(2**62), 2**53 + 1, -7, 7]]
    x = np.concatenate([edge, RNG.integers(-(2**62), 2**62, (40, 8)), RNG.integers(-9, 9, (40, 8))])
    by = [[3, 2**63 - 1, 7, -(2**63), 5, 2**31 + 1, 2, -2]]
    y = np.concatenate([by, RNG.integers(1, 2**40, (40, 8)), -RNG.integers(1, 9, (40, 8))])
    yield Case("FloorDiv", {"x": x}, {"y": np.int64(3)}, rtol=0, note="scalar")
    for rows, kind in ((slice(None), np.int64), (slice(41, None), np.int32)):
        yield Case("FloorDiv", {"x": x[rows].astype(kind), "y": y[rows].astype(kind)}, rtol=0)
        for axis in (1, -1):
            a = {"num": 8, "axis": axis}
            yield Case("Unpack", {"value": x[rows].astype(kind)}, {}, a, rtol=0, note=kind.__name__)
    yield Case("Unpack", {"value": real(3, 2, 4)}, {}, {"num": 2, "axis": 1})


FAMILIES = {
    "bits": bits, "integers": integers, "activations": activations, "special": special,
    "losses": losses, "convolutions": convolutions, "pooling": pooling, "resizing": resizing,
    "normalization": normalization, "slices": slices, "others": others,
}  # fmt: skip
