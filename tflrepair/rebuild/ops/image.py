"""Operators on images and signals: resizing, boxes, normalisation, Fourier transform."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.common import activate
from tflrepair.rebuild.ops.registry import op


@op("RESIZE_BILINEAR")
def resize_bilinear(
    x: Any, size: Any, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Any:
    return tf.raw_ops.ResizeBilinear(
        images=x, size=size, align_corners=align_corners, half_pixel_centers=half_pixel_centers
    )


@op("RESIZE_NEAREST_NEIGHBOR")
def resize_nearest_neighbor(
    x: Any, size: Any, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Any:
    return tf.raw_ops.ResizeNearestNeighbor(
        images=x, size=size, align_corners=align_corners, half_pixel_centers=half_pixel_centers
    )


@op("L2_NORMALIZATION")
def l2_normalization(x: Any, *, fused_activation_function: str = "NONE") -> Any:
    # Over the last dimension; the kernel divides by max(norm, 1e-6) (kernels/l2norm.cc).
    norm = tf.sqrt(tf.reduce_sum(tf.square(x), -1, keepdims=True))
    return activate(x / tf.maximum(norm, 1e-6), fused_activation_function)


@op("LOCAL_RESPONSE_NORMALIZATION")
def local_response_normalization(
    x: Any, *, radius: int = 0, bias: float = 0.0, alpha: float = 0.0, beta: float = 0.0
) -> Any:
    return tf.nn.local_response_normalization(x, radius, bias, alpha, beta)


@op("NON_MAX_SUPPRESSION_V4")
def non_max_suppression_v4(boxes: Any, scores: Any, count: Any, overlap: Any, least: Any) -> Any:
    indices, valid = tf.raw_ops.NonMaxSuppressionV4(
        boxes=boxes,
        scores=scores,
        max_output_size=count,
        iou_threshold=overlap,
        score_threshold=least,
        pad_to_max_output_size=True,
    )
    return indices, valid


@op("NON_MAX_SUPPRESSION_V5")
def non_max_suppression_v5(
    boxes: Any, scores: Any, count: Any, overlap: Any, least: Any, sigma: Any
) -> Any:
    # With sigma > 0 TensorFlow only lowers scores, while TFLite's kernel drops a box beyond the
    # overlap, too; converted back it is TFLite's kernel again.
    indices, kept, valid = tf.raw_ops.NonMaxSuppressionV5(
        boxes=boxes,
        scores=scores,
        max_output_size=count,
        iou_threshold=overlap,
        score_threshold=least,
        soft_nms_sigma=sigma,
        pad_to_max_output_size=True,
    )
    return indices, kept, valid


@op("RFFT2D")
def rfft2d(x: Any, length: Any) -> Any:
    return tf.signal.rfft2d(x, length)


@op("DEPTH_TO_SPACE")
def depth_to_space(x: Any, *, block_size: int = 0) -> Any:
    return tf.nn.depth_to_space(x, block_size)


@op("SPACE_TO_DEPTH")
def space_to_depth(x: Any, *, block_size: int = 0) -> Any:
    return tf.nn.space_to_depth(x, block_size)


@op("BATCH_TO_SPACE_ND")
def batch_to_space_nd(x: Any, block_shape: Any, crops: Any) -> Any:
    return tf.raw_ops.BatchToSpaceND(input=x, block_shape=block_shape, crops=crops)


@op("SPACE_TO_BATCH_ND")
def space_to_batch_nd(x: Any, block_shape: Any, paddings: Any) -> Any:
    return tf.raw_ops.SpaceToBatchND(input=x, block_shape=block_shape, paddings=paddings)
