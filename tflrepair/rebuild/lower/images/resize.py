"""Gradients of resizing: resizing is linear along each axis, y = A x B^T, so dx = A^T dy B.

The matrices hold the kernels' own weights (tensorflow/core/kernels/image/resize_bilinear_op.cc,
resize_nearest_neighbor_op.cc).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import known, static
from tflrepair.rebuild.lower.registry import lower

if TYPE_CHECKING:
    from numpy.typing import NDArray


@lower("ResizeBilinearGrad")
def resize_bilinear_grad(
    grads: Any,
    original_image: Any,
    align_corners: bool = False,
    half_pixel_centers: bool = False,
) -> Any:
    old = known(original_image.shape[1:3], "resized image")
    new = known(grads.shape[1:3], "resized image")
    lines = [
        _bilinear(o, n, align_corners, half_pixel_centers) for o, n in zip(old, new, strict=True)
    ]
    return _both(grads, lines)


@lower("ResizeNearestNeighborGrad")
def resize_nearest_grad(
    grads: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
) -> Any:
    old = [int(n) for n in static(size, "size")]
    new = known(grads.shape[1:3], "resized image")
    lines = [
        _nearest(o, n, align_corners, half_pixel_centers) for o, n in zip(old, new, strict=True)
    ]
    return _both(grads, lines)


def _both(grads: Any, lines: list[NDArray[Any]]) -> Any:
    """Each of ``lines`` ([new, old]) transposed, times its axis of ``grads``."""
    depth = known([grads.shape[3]], "resized image")[0]
    rows, columns = lines
    flat = tf.reshape(grads, [-1, rows.shape[0], columns.shape[0] * depth])
    down = tf.matmul(rows.T.copy(), flat)
    flat = tf.reshape(down, [-1, columns.shape[0], depth])
    across = tf.matmul(columns.T.copy(), flat)
    return tf.reshape(across, [-1, rows.shape[1], columns.shape[1], depth])


def _scale(old: int, new: int, align: bool) -> Any:
    import numpy as np

    return (
        np.float32(old - 1) / np.float32(new - 1)
        if align and new > 1
        else np.float32(old) / np.float32(new)
    )


def _bilinear(old: int, new: int, align: bool, half: bool) -> NDArray[Any]:
    """[new, old]: how much of each old element goes into each new one."""
    import numpy as np

    scale = _scale(old, new, align)
    at = np.arange(new, dtype=np.float32)
    place = (at + np.float32(0.5)) * scale - np.float32(0.5) if half else at * scale
    floor = np.floor(place)
    low = np.maximum(floor, 0).astype(int)
    high = np.minimum(np.ceil(place), old - 1).astype(int)
    part = (place - floor).astype(np.float32)
    matrix = np.zeros((new, old), np.float32)
    rows = np.arange(new)
    np.add.at(matrix, (rows, low), 1 - part)
    np.add.at(matrix, (rows, high), part)
    return matrix


def _nearest(old: int, new: int, align: bool, half: bool) -> NDArray[Any]:
    import numpy as np

    scale = _scale(old, new, align)
    at = np.arange(new, dtype=np.float32)
    place = (at + np.float32(0.5)) * scale if half else at * scale
    # round() of C: halves away from zero
    chosen = np.floor(place + np.float32(0.5)) if align else np.floor(place)
    matrix = np.zeros((new, old), np.float32)
    matrix[np.arange(new), np.clip(chosen, 0, old - 1).astype(int)] = 1
    return matrix
