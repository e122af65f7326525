"""More inputs for lowerings: lists of tensors, older names of an operator, arithmetic on sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from rebuild.lower.kernels.cases import gradients, real, ties
from rebuild.lower.kernels.single import Case, ShapeOf


def shapes() -> Iterator[Case]:
    for op, name in (("AddN", "inputs"), ("AccumulateNV2", "inputs")):
        fed = {f"_{n}": real(3, 4) for n in range(3)}
        attributes = {"shape": [3, 4]} if op == "AccumulateNV2" else {}
        truth = (lambda inputs, shape: tf.add_n(inputs)) if attributes else None
        yield Case(op, fed, attributes=attributes, lists={name: [*fed]}, truth=truth)
    parts = {"_0": real(3, 4), "_1": real(5, 2, 1)}
    for kind in (tf.int32, tf.int64):
        attributes = {"out_type": kind}
        yield Case("ShapeN", parts, {}, attributes, lists={"input": [*parts]}, note=kind.name)
    yield Case("IdentityN", parts, lists={"input": [*parts]})
    sizes = {f"_{n}": np.array([2, size, 5], np.int32) for n, size in enumerate((3, 1, 4))}
    fixed = {"concat_dim": np.int32(1)}
    yield Case("ConcatOffset", sizes, fixed, lists={"shape": [*sizes]}, opened=False, rtol=0)
    x = real(3, 4, 5)
    zero: dict[str, Any] = {"dtype": tf.float32, "init": True}
    yield Case("Empty", {"_x": x}, {"shape": ShapeOf("_x")}, zero)
    for op in ("ZerosLike", "OnesLike"):
        yield Case(op, {"x": x})
    for op in ("StopGradient", "PreventGradient", "Snapshot", "Identity"):
        yield Case(op, {"input": x})
    yield Case("CheckNumerics", {"tensor": x}, {}, {"message": ""})
    for shape in ([None, 4, 5], [None, None, 5]):
        yield Case("EnsureShape", {"input": x}, {}, {"shape": shape}, note=str(shape))
    yield Case("InvertPermutation", {"_x": x}, {"x": np.array([2, 0, 3, 1], np.int32)}, rtol=0)
    fed = {"data": real(4, 3), "segment_ids": np.array([0, 2, 2, 1], np.int32)}
    yield Case("UnsortedSegmentSum", fed, {"num_segments": np.int32(4)})
    yield Case("InvGrad", {"y": real(4, 3) ** 2 + 0.1, "dy": real(4, 3)})
    fed = {"arr": np.array([0, 3, 3, 1], np.int32)}
    weights = {"size": np.int32(5), "weights": real(4)}
    yield Case("Bincount", fed, weights, opened=False)


def broadcasts() -> Iterator[Case]:
    """Whose sizes are only known at run time. TensorFlow's kernel sums axes of size 1 for nothing
    where both have it; so what is summed is compared."""
    pairs = [([3, 4], [1, 4]), ([3, 4], [4]), ([1], [2, 5]), ([2, 1, 3], [5, 1]), ([3], [3])]
    for a, b in pairs:
        fed = {"_a": real(*a), "_b": real(*b)}
        fixed = {"s0": ShapeOf("_a"), "s1": ShapeOf("_b")}
        yield Case("BroadcastArgs", fed, fixed, opened=False, rtol=0, note="known")
    for a, b in pairs:
        fed = {"s0": np.array(a, np.int32), "s1": np.array(b, np.int32)}
        yield Case("BroadcastArgs", fed, opened=False, rtol=0, note=f"{a} {b}")
    for a, b in [([3, 4], [1, 4]), ([3, 4], [4]), ([2, 4, 3], [4, 1])]:
        fed = {"s0": np.array(a, np.int32), "s1": np.array(b, np.int32)}
        yield Case("BroadcastGradientArgs", fed, opened=False, rtol=0, note=f"{a} {b}")


def older() -> Iterator[Case]:
    """The same computation under its older names, and with arguments that are tensors."""
    a: dict[str, Any] = {"epsilon": 1e-3, "is_training": True}
    x, scale, offset = real(3, 4, 5, 6), real(6) ** 2 + 0.5, real(6)
    fixed = {"scale": scale, "offset": offset, "mean": real(6), "variance": real(6) ** 2 + 0.5}
    for op in ("FusedBatchNorm", "FusedBatchNormV2"):
        for training in (True, False):
            yield Case(op, {"x": x}, fixed, {**a, "is_training": training}, outputs=(0, 1, 2))
    _, _, _, mean, variance = tf.raw_ops.FusedBatchNorm(x=x, **fixed, **a)
    saved = {"scale": scale, "reserve_space_1": mean.numpy(), "reserve_space_2": variance.numpy()}
    fed = {"y_backprop": real(3, 4, 5, 6), "x": x}
    for op in ("FusedBatchNormGrad", "FusedBatchNormGradV2"):
        yield Case(op, fed, saved, a, outputs=(0, 1, 2))
    windows: dict[str, Any] = {"ksize": [1, 3, 3, 1], "strides": [1, 2, 2, 1]}
    for padding in ("SAME", "VALID"):
        image = ties(3, 7, 6, 2)
        y = tf.raw_ops.MaxPool(input=image, padding=padding, **windows).numpy()
        fed = {"orig_input": image, "orig_output": y, "grad": real(*y.shape)}
        sizes = {name: np.array(value, np.int32) for name, value in windows.items()}
        yield Case("MaxPoolGradV2", fed, sizes, {"padding": padding})
    yield from dilated("SAME", 1)
    yield from dilated("VALID", 2)


def dilated(padding: str, multiplier: int) -> Iterator[Case]:
    """TensorFlow has no kernel for it: the derivative of the convolution by batches of spaces."""
    a = {"strides": [1, 1, 1, 1], "padding": padding, "dilations": [1, 2, 2, 1]}
    x, w = real(3, 8, 7, 4), real(3, 2, 4, multiplier)

    def out(x: Any, w: Any) -> Any:
        around = [[0, 0], [2, 2], [1, 1], [0, 0]]  # what SAME means for this kernel
        padded = tf.pad(x, around) if padding == "SAME" else x
        return tf.nn.depthwise_conv2d(padded, w, [1] * 4, "VALID", dilations=[2, 2])

    def by_filter(input: Any, filter_sizes: Any, out_backprop: Any, **_: Any) -> Any:
        kernel = tf.zeros(filter_sizes)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            y = out(input, kernel)
        return tape.gradient(y, kernel, out_backprop)

    def by_input(input_sizes: Any, filter: Any, out_backprop: Any, **_: Any) -> Any:
        image = tf.zeros(input_sizes)
        with tf.GradientTape() as tape:
            tape.watch(image)
            y = out(image, filter)
        return tape.gradient(y, image, out_backprop)

    sizes, truths = out(x, w).shape, (by_filter, by_input)
    yield from gradients("DepthwiseConv2dNative", x, w, sizes, a, truths=truths)


MORE = {"shapes": shapes, "broadcasts": broadcasts, "older": older}
