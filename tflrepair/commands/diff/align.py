"""Which operator of one subgraph is which of another, where some were put in or taken out.

Three steps, each inside the gaps that the one before left: names of outputs that are unique on
both sides; kind, shape and options together where unique; and at last the best alignment of what
is left (longest common subsequence with weights; in a gap too large for that, the fewest
insertions and removals, of what is the same in all and then of kinds). Order is never broken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tflrepair.commands.diff import edits

Pair = tuple[int, int]
_MOST_CELLS = 400_000  # of the table for one gap


@dataclass(frozen=True, slots=True)
class Traits:
    """What tells an operator: its kind first of all, then what may have changed."""

    kind: str
    name: str
    shape: Hashable
    options: Hashable


def align(a: Sequence[Traits], b: Sequence[Traits]) -> list[Pair]:
    """Pairs of indices of operators of the same kind, rising on both sides."""
    gaps = [(0, len(a), 0, len(b))]
    pairs: list[Pair] = []
    for key in (_by_name, _by_facts):
        found = [pair for gap in gaps for pair in _anchors(a, b, gap, key)]
        pairs = sorted(pairs + found)
        gaps = _gaps(pairs, len(a), len(b))
    return sorted(pairs + [pair for gap in gaps for pair in _fill(a, b, gap)])


def _by_name(traits: Traits) -> Hashable | None:
    return (traits.kind, traits.name) if traits.name else None


def _by_facts(traits: Traits) -> Hashable | None:
    return (traits.kind, traits.shape, traits.options)


def _anchors(
    a: Sequence[Traits],
    b: Sequence[Traits],
    gap: tuple[int, int, int, int],
    key: Callable[[Traits], Hashable | None],
) -> list[Pair]:
    """Pairs whose key is unique on both sides of the gap: the longest rising run of them."""
    first_a, last_a, first_b, last_b = gap
    keys_a = [key(a[i]) for i in range(first_a, last_a)]
    keys_b = [key(b[i]) for i in range(first_b, last_b)]
    count_a, count_b = Counter(keys_a), Counter(keys_b)
    place = {k: i for i, k in enumerate(keys_b, first_b) if k is not None and count_b[k] == 1}
    pairs = [(i, place[k]) for i, k in enumerate(keys_a, first_a) if count_a[k] == 1 and k in place]
    return _rising(pairs)


def _rising(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest subsequence whose second members rise (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        before.append(ends[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(second)
            ends.append(index)
        else:
            tops[pile], ends[pile] = second, index
    found = []
    index = ends[-1] if ends else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _gaps(pairs: Sequence[Pair], a: int, b: int) -> list[tuple[int, int, int, int]]:
    gaps = []
    last = (-1, -1)
    for pair in [*pairs, (a, b)]:
        gap = (last[0] + 1, pair[0], last[1] + 1, pair[1])
        if gap[0] < gap[1] and gap[2] < gap[3]:
            gaps.append(gap)
        last = pair
    return gaps


def _fill(a: Sequence[Traits], b: Sequence[Traits], gap: tuple[int, int, int, int]) -> list[Pair]:
    first_a, last_a, first_b, last_b = gap
    rows, columns = a[first_a:last_a], b[first_b:last_b]
    if len(rows) * len(columns) <= _MOST_CELLS:
        found = _best(rows, columns)
    else:
        found = _large(rows, columns)
    return [(first_a + i, first_b + j) for i, j in found]


def _large(rows: Sequence[Traits], columns: Sequence[Traits]) -> list[Pair]:
    """What is the same in all, and in the gaps between, where they are small, the best alignment.

    Beyond ``edits.MOST`` differences kinds alone decide; beyond that many of these, too, nothing is
    the same.
    """
    same = edits.common([_by_facts(t) for t in rows], [_by_facts(t) for t in columns])
    if same is None:
        return edits.common([t.kind for t in rows], [t.kind for t in columns]) or []
    gaps = _gaps(same, len(rows), len(columns))
    filled = [pair for gap in gaps for pair in _fill(rows, columns, gap)]
    return sorted(same + filled)


def _score(a: Traits, b: Traits) -> int:
    if a.kind != b.kind:
        return 0
    return 4 + 2 * (a.shape == b.shape) + (a.options == b.options) + (a.name == b.name)


def _best(rows: Sequence[Traits], columns: Sequence[Traits]) -> list[Pair]:
    """The alignment of the highest total score."""
    width = len(columns) + 1
    table = [[0] * width for _ in range(len(rows) + 1)]
    for i in range(len(rows) - 1, -1, -1):
        row, below, left = table[i], table[i + 1], rows[i]
        for j in range(len(columns) - 1, -1, -1):
            best = below[j] if below[j] >= row[j + 1] else row[j + 1]
            if left.kind == columns[j].kind:
                best = max(best, below[j + 1] + _score(left, columns[j]))
            row[j] = best
    found, i, j = [], 0, 0
    while i < len(rows) and j < len(columns):
        score = _score(rows[i], columns[j])
        if score and table[i][j] == table[i + 1][j + 1] + score:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif table[i][j] == table[i + 1][j]:
            i += 1
        else:
            j += 1
    return found
