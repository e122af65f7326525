"""Operators of two models are aligned by what they are, never out of order."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tflrepair.commands.diff.align import Traits, align

KINDS = ("CONV_2D", "ADD", "RELU", "MUL")


def rows(kinds: list[int], prefix: str) -> list[Traits]:
    return [Traits(KINDS[k], f"{prefix}{n}", (1, k), ()) for n, k in enumerate(kinds)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30), st.data())
def test_alignment_is_as_long_as_the_longest_common_subsequence(kinds: Any, data: Any) -> None:
    """Names that say nothing, as after another conversion; brute force knows the length."""
    kept = [k for k in kinds if data.draw(st.booleans())]
    other = list(kept)
    for _ in range(data.draw(st.integers(0, 3))):
        other.insert(data.draw(st.integers(0, len(other))), data.draw(st.integers(0, 3)))
    a, b = rows(kinds, "a"), rows(other, "b")
    pairs = align(a, b)
    assert all(a[i].kind == b[j].kind for i, j in pairs)
    assert all(p[0] < q[0] and p[1] < q[1] for p, q in itertools.pairwise(pairs))
    unique = [k for k in range(4) if kinds.count(k) == other.count(k) == 1]
    if not unique:  # else an anchor may rightly cost some length
        table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i in range(len(a) - 1, -1, -1):
            for j in range(len(b) - 1, -1, -1):
                table[i][j] = max(
                    table[i + 1][j],
                    table[i][j + 1],
                    table[i + 1][j + 1] + (kinds[i] == other[j]),
                )
        assert len(pairs) == table[0][0]


def test_alignment_of_10000_operators() -> None:
    kinds = [n % 4 for n in range(10_000)]
    a = [Traits(KINDS[k], f"layer_{n}", (1,), ()) for n, k in enumerate(kinds)]
    b = [*a[:4000], Traits("QUANTIZE", "new", (1,), ()), *a[4000:7000], *a[7003:]]
    pairs = align(a, b)
    assert len(pairs) == 9_997
    assert (4000, 4001) in pairs
    unnamed = [Traits(t.kind, "", (1,), ()) for t in a]
    assert len(align(unnamed, unnamed)) > 9_000
