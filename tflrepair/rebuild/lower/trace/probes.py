"""Sizes that hang on an open batch, as far as they can be known while tracing.

Arithmetic on shapes mixes known and open sizes. So an open size stands for a symbol, and every
operator of such arithmetic is computed for several values of all symbols at once: an element that
is the same for all of them is known. The values are small, large, one and not one, different for
each symbol, so that minima, quotients and comparisons show that they hang on a size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflrepair.rebuild.lower.registry import words

TRIALS = 6
# Builtin and raw operators of which small integer arithmetic is made; none makes more elements
# than it is given.
ARITHMETIC = frozenset(
    words("""
    ADD SUB MUL FLOOR_DIV DIV FLOOR_MOD MAXIMUM MINIMUM NEG ABS CAST PACK UNPACK CONCATENATION
    STRIDED_SLICE SLICE GATHER GATHER_ND RESHAPE TRANSPOSE SQUEEZE EXPAND_DIMS REDUCE_PROD SUM
    SELECT SELECT_V2 EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND
    LOGICAL_OR LOGICAL_NOT SPLIT SPLIT_V REVERSE_V2 SQUARE ConcatOffset BroadcastArgs
    EnsureShape Identity
""")
)


@dataclass
class Probed:
    """An integer tensor whose elements are known in part.

    Attributes:
        tensor: the tensor itself.
        trials: [TRIALS, *shape], its value for each trial.
    """

    tensor: Any
    trials: NDArray[Any]
    _packed: Any = None

    @property
    def fixed(self) -> NDArray[Any]:
        """Which elements are the same in all trials: bool, of the tensor's shape."""
        return np.asarray((self.trials == self.trials[:1]).all(axis=0))

    def packed(self) -> Any:
        """The tensor, a vector's known elements as constants, which shape inference sees."""
        import tensorflow as tf

        fixed = self.fixed
        if fixed.ndim != 1 or not fixed.any() or len(fixed) > 16:
            return self.tensor
        if self._packed is None or self._packed.graph is not tf.compat.v1.get_default_graph():
            dtype = self.trials.dtype
            rows = [
                tf.constant(self.trials[0, i], dtype) if known else self.tensor[i]
                for i, known in enumerate(fixed)
            ]
            self._packed = tf.stack(rows)
        return self._packed

    def as_shape(self) -> list[int] | None:
        """The sizes with -1 for the only open one; None if there are several, or a 0."""
        fixed = self.fixed
        if fixed.ndim != 1 or int((~fixed).sum()) != 1 or (self.trials[0][fixed] == 0).any():
            return None
        return [int(n) if known else -1 for n, known in zip(self.trials[0], fixed, strict=True)]


class Symbols:
    """Hands out trial values for open sizes; the same for the same origin."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._alive: list[Any] = []  # what the keys are made of must not be freed

    def sizes(self, origin: Any, axis: int) -> NDArray[np.int64]:
        key = (id(origin), axis)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self._alive.append(origin)
        n = self._numbers[key]
        return np.array([1, 2 + n % 3, 7 + 2 * n, 64 + 3 * n, 10007 + 13 * n, 97 + 31 * n])


def run(function: Callable[..., Any], trials: Sequence[NDArray[Any] | None]) -> list[Any] | None:
    """[TRIALS, *shape] of each result of ``function``; None where it is no small arithmetic.

    ``trials``: [TRIALS, *shape] of each argument; None for one that is left out.
    """
    import tensorflow as tf

    found: list[list[NDArray[Any]]] = []
    with tf.init_scope():
        for number in range(TRIALS):
            values = [None if t is None else tf.constant(t[number]) for t in trials]
            try:
                results = tf.nest.flatten(function(values))
                found.append([np.asarray(r.numpy()) for r in results])
            except Exception:  # not for these values
                return None
    shapes = [[r.shape for r in row] for row in found]
    whole = all(r.dtype.kind in "iub" for r in found[0])
    if not whole or any(row != shapes[0] for row in shapes):
        return None
    return [np.stack(column) for column in zip(*found, strict=True)]


@cache
def register() -> None:
    """Tell TensorFlow what tensor a ``Probed`` is: what traced functions return may be some."""
    import tensorflow as tf

    tf.register_tensor_conversion_function(Probed, _as_tensor)


def _as_tensor(value: Probed, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
    tensor = value.packed()
    return tensor if dtype in (None, tensor.dtype) else NotImplemented
