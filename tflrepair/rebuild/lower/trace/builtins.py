"""Builtin operators that are written otherwise for a stock runtime.

XNNPACK of LiteRT 2.3 takes a SUM over more than six dimensions and fails on it, so neighbouring
dimensions that are summed, or kept, together become one. Summing over no axis is nothing. Sums
and means over many numbers are made in turn (``images/sums.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from math import prod
from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.sums import in_turn

_MOST_DIMENSIONS = 6
_ADDING = (tf.reduce_sum, tf.reduce_mean)
_SAME = {
    "SUM": tf.reduce_sum,
    "MEAN": tf.reduce_mean,
    "REDUCE_PROD": tf.reduce_prod,
    "REDUCE_MAX": tf.reduce_max,
    "REDUCE_MIN": tf.reduce_min,
}


def _reduction(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, axes: Any, *, keep_dims: bool = False) -> Any:
        chosen = tf.get_static_value(axes)
        if chosen is None or x.shape.rank is None:
            return reduce(x, axes, keepdims=keep_dims)
        summed = {int(axis) % max(x.shape.rank, 1) for axis in chosen.reshape(-1)}
        if not summed:
            return x
        if x.shape.rank <= _MOST_DIMENSIONS or sum(n is None for n in x.shape) > 1:
            if reduce in _ADDING and x.dtype.is_floating:
                return in_turn(reduce, x, summed, keep_dims)
            return reduce(x, sorted(summed), keepdims=keep_dims)
        return _merged(reduce, x, summed, keep_dims)

    return run


def _merged(reduce: Callable[..., Any], x: Any, summed: set[int], keep_dims: bool) -> Any:
    """Dimensions of size 1 dropped, neighbours merged, and one group of them summed at a time."""
    sizes = [-1 if size is None else size for size in x.shape]
    groups = groupby(
        (axis for axis, size in enumerate(sizes) if size != 1), key=summed.__contains__
    )
    merged: list[int] = []
    axes: list[int] = []
    for is_summed, group in groups:
        part = [sizes[axis] for axis in group]
        if is_summed:
            axes.append(len(merged))
        merged.append(-1 if -1 in part else prod(part))
    result = tf.reshape(x, merged)
    if len(merged) <= _MOST_DIMENSIONS:
        result = reduce(result, axes)
    else:
        for axis in reversed(axes):
            outer, inner = _size(merged[:axis]), _size(merged[axis + 1 :])
            result = reduce(tf.reshape(x, [outer, merged[axis], inner]), 1)
            del merged[axis]
            x = result
    left = [
        1 if axis in summed else size
        for axis, size in enumerate(sizes)
        if keep_dims or axis not in summed
    ]
    return tf.reshape(result, left)


def _size(sizes: list[int]) -> int:
    return -1 if -1 in sizes else prod(sizes)


OVERRIDES: Mapping[str, Callable[..., Any]] = {
    name: _reduction(function) for name, function in _SAME.items()
}
