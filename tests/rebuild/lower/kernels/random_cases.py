"""Random operators, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

Find = Callable[[str], Any]
Draw = Callable[[Find, Any], Any]


def _keys(find: Find) -> tuple[Any, Any, Any]:
    return tuple(find("StatelessRandomGetKeyCounterAlg")(seed=[3, 4]))


def drawing(op: str, **more: Any) -> Draw:
    """``op`` with the arguments of its kind."""

    def draw(find: Find, shape: Any) -> Any:
        given: dict[str, Any] = {"shape": shape, **more}
        if op.endswith("V2"):
            given |= dict(zip(("key", "counter", "alg"), _keys(find), strict=True))
        elif op.startswith("Stateless"):
            given["seed"] = [3, 4]
        else:
            given |= {"seed": 3, "seed2": 4}
        return find(op)(**given)

    return draw


def floats() -> Iterator[tuple[str, Draw]]:
    for own_name, stem in (
        ("RandomUniform", "RandomUniform"),
        ("RandomStandardNormal", "RandomNormal"),
        ("TruncatedNormal", "TruncatedNormal"),
    ):
        for name in (own_name, f"Stateless{stem}", f"Stateless{stem}V2"):
            for dtype in (tf.float32, tf.float16, tf.bfloat16):
                yield f"{name}_{dtype.name}", drawing(name, dtype=dtype)


def integers() -> Iterator[tuple[str, Draw]]:
    """A die; a range at large numbers; more numbers than 23 bits, than 31, and than 62 tell."""
    ranges = [(-2, 5), (2**30 + 1, 2**30 + 8), (-(2**31), 2**31 - 1)]
    for name in ("RandomUniformInt", "StatelessRandomUniformInt", "StatelessRandomUniformIntV2"):
        for kind, pairs in ((tf.int32, ranges), (tf.int64, [*ranges, (-5, 2**63 - 9)])):
            for number, (low, high) in enumerate(pairs):
                ends = {"minval": tf.constant(low, kind), "maxval": tf.constant(high, kind)}
                yield f"{name}_{kind.name}_{number}", drawing(name, **ends)


DRAWS: Mapping[str, Draw] = dict([*floats(), *integers()])
PLACEHOLDERS = (
    "StatelessRandomGetKeyCounter",
    "StatelessRandomGetKeyCounterAlg",
    "StatelessRandomGetAlg",
)
