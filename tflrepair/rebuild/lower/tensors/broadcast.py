"""Which axes a gradient must be summed over because its operand was broadcast along them.

An axis of size 1 in the operand may always be summed. An axis where the other operand has size 1,
or where both sizes come from the same tensor, need never be. Only what is left is decided at run
time, which gives the SUM that follows a computed axis tensor (tensorflow/core/util/bcast.h).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.images.geometry import shape_of
from tflrepair.rebuild.lower.registry import lower

ALWAYS, NEVER, ASK = "always", "never", "ask"


@lower("BroadcastGradientArgs")
def broadcast_gradient_args(s0: Any, s1: Any, trials: Sequence[Any] = ()) -> tuple[Any, Any]:
    shapes = (shape_of(s0), shape_of(s1))
    ranks = [
        len(shape) if shape.rank is not None else s.shape[0]
        for shape, s in zip(shapes, (s0, s1), strict=True)
    ]
    if None in ranks:
        raise UnsupportedError("the number of dimensions of an operand is only known at run time")
    rank = max(ranks)
    sizes = [
        [1] * (rank - r) + (shape.as_list() if shape.rank is not None else [None] * r)
        for shape, r in zip(shapes, ranks, strict=True)
    ]
    same = _same(s0, s1, rank, trials)
    first, second = (
        _axes(sizes[own], sizes[1 - own], (s0, s1)[own], ranks[own], same) for own in (0, 1)
    )
    return first, second


def _same(s0: Any, s1: Any, rank: int, trials: Sequence[Any]) -> list[bool]:
    """For each axis, whether both sizes come from one tensor."""
    if s0 is s1:
        return [True] * rank
    if not len(trials) or any(t is None for t in trials):
        return [False] * rank
    a, b = (np.concatenate([np.ones((len(t), rank - t.shape[1]), t.dtype), t], 1) for t in trials)
    return [bool(equal) for equal in (a == b).all(axis=0)]


def _axes(
    own: list[int | None], other: list[int | None], sizes: Any, rank: int, same: list[bool]
) -> Any:
    """The axes to sum, int32 [how many]."""
    verdicts = [_verdict(a, b, s) for a, b, s in zip(own, other, same, strict=True)]
    if ASK not in verdicts:
        chosen = [axis for axis, verdict in enumerate(verdicts) if verdict == ALWAYS]
        return tf.constant(chosen, sizes.dtype, shape=[len(chosen)])
    ones = tf.equal(sizes, 1)
    if rank < len(own):
        ones = tf.concat([tf.ones([len(own) - rank], tf.bool), ones], 0)
    never = tf.constant([verdict != NEVER for verdict in verdicts])
    mask = tf.logical_and(ones, never)
    return tf.cast(tf.reshape(tf.where(mask), [-1]), sizes.dtype)


def _verdict(own: int | None, other: int | None, same: bool) -> str:
    if own == 1:
        return ALWAYS
    return ASK if own is None and other != 1 and not same else NEVER


@lower("BroadcastArgs")
def broadcast_args(s0: Any, s1: Any) -> Any:
    ranks = s0.shape[0], s1.shape[0]
    if None in ranks:
        raise UnsupportedError("the number of dimensions of an operand is only known at run time")
    rank = max(ranks)
    long = [
        tf.concat([tf.ones([rank - r], s.dtype), s], 0) if r < rank else s
        for s, r in zip((s0, s1), ranks, strict=True)
    ]
    return tf.where(tf.equal(long[0], 1), long[1], long[0])
