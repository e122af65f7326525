"""Operators that move elements: shapes, slices, joining and splitting, padding."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.ops.common import activate
from tflrepair.rebuild.ops.registry import op


@op("RESHAPE", raw=True)
def reshape(x: Any, shape: Any = None, *, new_shape: tuple[int, ...] = ()) -> Any:
    return tf.reshape(x, list(new_shape) if shape is None else shape)


@op("SHAPE", raw=True)
def shape_of(x: Any, *, out_dtype: str) -> Any:
    return tf.shape(x, out_dtype)


@op("RANK", raw=True)
def rank(x: Any) -> Any:
    return tf.rank(x)


@op("SQUEEZE", raw=True)
def squeeze(x: Any, *, squeeze_dims: tuple[int, ...] = ()) -> Any:
    return tf.squeeze(x, list(squeeze_dims))


@op("EXPAND_DIMS", raw=True)
def expand_dims(x: Any, axis: Any) -> Any:
    return tf.expand_dims(x, tf.reshape(axis, []))


@op("TRANSPOSE", raw=True)
def transpose(x: Any, order: Any) -> Any:
    return tf.transpose(x, order)


@op("CONCATENATION")
def concatenation(*parts: Any, axis: int = 0, fused_activation_function: str = "NONE") -> Any:
    return activate(tf.concat(list(parts), axis), fused_activation_function)


@op("PACK", raw=True)
def pack(*parts: Any, axis: int = 0) -> Any:
    return tf.stack(list(parts), axis)


@op("UNPACK", raw=True)
def unpack(x: Any, *, num: int = 0, axis: int = 0) -> Any:
    return tuple(tf.unstack(x, num, axis))


@op("SPLIT", raw=True)
def split(axis: Any, x: Any, *, num_splits: int = 0) -> Any:
    return tuple(tf.split(x, num_splits, tf.reshape(axis, [])))


@op("SPLIT_V", raw=True)
def split_v(x: Any, sizes: Any, axis: Any, *, num_splits: int = 0) -> Any:
    return tuple(
        tf.raw_ops.SplitV(
            value=x, size_splits=sizes, axis=tf.reshape(axis, []), num_split=num_splits
        )
    )


@op("SLICE", raw=True)
def slice_(x: Any, begin: Any, size: Any) -> Any:
    return tf.slice(x, begin, size)


@op("STRIDED_SLICE", raw=True)
def strided_slice(
    x: Any,
    begin: Any,
    end: Any,
    strides: Any,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    offset: bool = False,
) -> Any:
    return tf.raw_ops.StridedSlice(
        input=x,
        begin=begin,
        end=begin + end if offset else end,
        strides=strides,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )


@op("DYNAMIC_UPDATE_SLICE", raw=True)
def dynamic_update_slice(x: Any, update: Any, start: Any) -> Any:
    # The start is clamped so that the update fits (kernels/dynamic_update_slice.cc).
    start = tf.cast(start, tf.int32)
    sizes = tf.shape(update)
    start = tf.maximum(tf.minimum(start, tf.shape(x) - sizes), 0)
    if x.shape.rank == 0:
        return update
    ranges = [tf.range(sizes[axis]) + start[axis] for axis in range(x.shape.rank)]
    indices = tf.stack(tf.meshgrid(*ranges, indexing="ij"), -1)
    return tf.tensor_scatter_nd_update(x, indices, update)


@op("PAD")
def pad(x: Any, paddings: Any) -> Any:
    return tf.pad(x, paddings)


@op("PADV2")
def padv2(x: Any, paddings: Any, value: Any) -> Any:
    return tf.raw_ops.PadV2(input=x, paddings=paddings, constant_values=tf.reshape(value, []))


@op("MIRROR_PAD", raw=True)
def mirror_pad(x: Any, paddings: Any, *, mode: str = "REFLECT") -> Any:
    return tf.pad(x, paddings, mode)


@op("TILE", raw=True)
def tile(x: Any, multiples: Any) -> Any:
    return tf.tile(x, multiples)


@op("BROADCAST_TO", raw=True)
def broadcast_to(x: Any, shape: Any) -> Any:
    return tf.broadcast_to(x, shape)


@op("BROADCAST_ARGS")
def broadcast_args(x: Any, y: Any) -> Any:
    return tf.raw_ops.BroadcastArgs(s0=x, s1=y)


@op("FILL")
def fill(shape: Any, value: Any) -> Any:
    return tf.fill(shape, value)


@op("REVERSE_V2", raw=True)
def reverse_v2(x: Any, axes: Any) -> Any:
    return tf.reverse(x, axes)


@op("REVERSE_SEQUENCE", raw=True)
def reverse_sequence(x: Any, lengths: Any, *, seq_dim: int = 0, batch_dim: int = 0) -> Any:
    return tf.reverse_sequence(x, lengths, seq_dim, batch_dim)


@op("MATRIX_DIAG")
def matrix_diag(x: Any) -> Any:
    return tf.linalg.diag(x)


@op("MATRIX_SET_DIAG")
def matrix_set_diag(x: Any, diagonal: Any) -> Any:
    return tf.linalg.set_diag(x, diagonal)


@op("DILATE")
def dilate(x: Any, dilations: Any, value: Any) -> Any:
    # value between the elements of each dimension (kernels/dilate.cc)
    sizes = (tf.shape(x) - 1) * tf.cast(dilations, tf.int32) + 1
    ranges = [
        tf.range(tf.shape(x)[axis]) * tf.cast(dilations[axis], tf.int32)
        for axis in range(x.shape.rank)
    ]
    indices = tf.stack(tf.meshgrid(*ranges, indexing="ij"), -1)
    return tf.tensor_scatter_nd_update(tf.fill(sizes, tf.reshape(value, [])), indices, x)
