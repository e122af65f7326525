"""Operators on variables, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(3)
START = RNG.normal(size=(5, 3)).astype(np.float32)
ROWS = np.array([3, 0, 3, 1], np.int32)
PLACES = np.array([[3, 1], [0, 0], [3, 1], [4, 2]], np.int32)
UPDATES = RNG.normal(size=(4, 3)).astype(np.float32)
PHILOX = 1


@dataclass(frozen=True, eq=False)
class Row:
    """An operator on a variable.

    Attributes:
        fed: inputs of the signature; ``opened``: their first dimension is open.
        more: what else the operator is given; computed while it is traced.
    """

    op: str
    fed: Mapping[str, Any] = field(default_factory=dict)
    handle: str = "resource"
    start: Any = field(default_factory=lambda: START)
    opened: bool = True
    more: Callable[..., Mapping[str, Any]] = dict
    note: str = ""

    @property
    def key(self) -> str:
        return self.op + self.note

    def run(self, find: Callable[[str], Any], handle: Any, values: Any) -> Any:
        """The operator's results; None where it has none."""
        given = dict(zip(self.fed, values, strict=True))
        return find(self.op)(**{self.handle: handle}, **self.more(**given))


def _rows(op: str, handle: str = "resource", start: slice = slice(None), **fed: Any) -> Row:
    return Row(op, {name: value[start] for name, value in fed.items()}, handle)


def _read(op: str, **fed: Any) -> Row:
    return Row(op, fed, more=lambda **given: {**given, "dtype": tf.float32})


def _generator(*start: int, constant: bool = False) -> Row:
    def more(count: Any) -> Mapping[str, Any]:
        drawn = tf.bitcast(tf.cast(count, tf.int64), tf.uint64)  # which is a builtin
        delta = tf.constant(300, tf.uint64) if constant else drawn
        return {"alg": tf.constant(PHILOX), "delta": delta}

    fed, state = {"count": np.int32(3)}, np.array(start, np.int64)
    note = f"_{start[0]}_{start[1]}".replace("-", "minus_")
    return Row("RngReadAndSkip", fed, "resource", state, False, more, note)


def _sizes(kind: Any) -> Row:
    def more() -> Mapping[str, Any]:
        return {"out_type": kind}

    return Row("VariableShape", {}, "input", more=more, note=f"_{kind.name}")


# Elements are named twice where TensorFlow says what that means.
OPERATORS = [
    _rows("ResourceScatterAdd", indices=ROWS, updates=UPDATES),
    _rows("ResourceScatterSub", indices=ROWS, updates=UPDATES),
    _rows("ResourceScatterUpdate", start=slice(1, None), indices=ROWS, updates=UPDATES),
    _rows("ResourceScatterNdAdd", "ref", indices=PLACES, updates=UPDATES[:, 0]),
    _rows("ResourceScatterNdSub", "ref", indices=PLACES, updates=UPDATES[:, 0]),
    _read("ResourceGather", indices=ROWS),
    _read("ResourceGatherNd", indices=PLACES),
    Row("AssignAddVariableOp", {"value": START[::-1].copy()}, opened=False),
    Row("AssignSubVariableOp", {"value": START[::-1].copy()}, opened=False),
    _sizes(tf.int32),
    _sizes(tf.int64),
    Row("VarIsInitializedOp"),
    # Numbers of 64 bits that count over the edge, and over the edge of signed ones.
    _generator(5, 6, 7),
    _generator(-5, 41, 7),
    _generator(-5, -1, 7),
    _generator(-5, 2**63 - 1, 7),
    _generator(2**63 - 100, 2**63 - 1, 7),
    _generator(-(2**63), 1, 7, constant=True),
]
