"""Operators of two models are aligned by what they are, never out of order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tflrepair.commands.diff.align import Traits, align
from tflrepair.commands.diff.edits import common

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
    assert align(unnamed, unnamed) == [(n, n) for n in range(10_000)]
    renamed = [Traits(t.kind, f"other_{n}", (1,), ()) for n, t in enumerate(b)]
    assert align(a, renamed) == pairs


def test_a_gap_too_large_for_the_table() -> None:
    """Names that say nothing: what was put in, taken out and changed is found all the same."""
    kinds = [(n * n) % 4 for n in range(3_000)]
    a = [Traits(KINDS[k], "", (n % 5,), ()) for n, k in enumerate(kinds)]
    b = [replace(a[n], options=("new",)) if n % 700 == 9 else a[n] for n in range(3_000)]
    b[2_000:2_000] = [Traits("QUANTIZE", "", (1,), ())]
    del b[1_000:1_003]
    pairs = align(a, b)
    assert len(pairs) == 2_997
    assert all((n, n) in pairs for n in (9, 709))
    assert (1_409, 1_406) in pairs
    assert (2_109, 2_107) in pairs


def test_nothing_in_common() -> None:
    a = [Traits("ADD", "", (1,), ()) for _ in range(2_000)]
    b = [Traits("MUL", "", (1,), ()) for _ in range(2_000)]
    assert align(a, b) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=25), st.lists(st.integers(0, 2), max_size=25))
def test_the_fewest_edits(a: list[int], b: list[int]) -> None:
    """As many in common as brute force finds."""
    found = common(a, b)
    assert found is not None
    assert all(a[i] == b[j] for i, j in found)
    assert all(p[0] < q[0] and p[1] < q[1] for p, q in itertools.pairwise(found))
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            both = table[i + 1][j + 1] + 1 if a[i] == b[j] else 0
            table[i][j] = max(table[i + 1][j], table[i][j + 1], both)
    assert len(found) == table[0][0]
