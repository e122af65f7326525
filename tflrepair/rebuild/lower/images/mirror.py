"""The gradient of mirror padding: what was mirrored is added to where it came from."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.images.geometry import static
from tflrepair.rebuild.lower.registry import lower


@lower("MirrorPadGrad")
def mirror_pad_grad(input: Any, paddings: Any, mode: str) -> Any:
    edge = 1 if mode == "REFLECT" else 0  # whether the edge itself is left out of the mirror image
    for axis, (before, after) in enumerate(static(paddings, "padding").tolist()):
        if before or after:
            input = _axis(input, axis, before, after, edge)
    return input


def _axis(x: Any, axis: int, before: int, after: int, edge: int) -> Any:
    size = x.shape[axis]
    length = None if size is None else size - before - after

    def part(start: int, stop: int | None) -> Any:
        cut = [slice(None)] * x.shape.rank
        cut[axis] = slice(start, stop)
        return x[tuple(cut)]

    def placed(piece: Any, left: Any, right: Any) -> Any:
        pads: list[list[Any]] = [[0, 0] for _ in range(x.shape.rank)]
        pads[axis] = [left, right]
        return tf.pad(tf.reverse(piece, [axis]), pads)

    if length is None:
        length = tf.shape(x)[axis] - before - after
    total = part(before, -after or None)
    if before:
        total += placed(part(0, before), edge, length - before - edge)
    if after:
        total += placed(part(-after, None), length - after - edge, edge)
    return total
