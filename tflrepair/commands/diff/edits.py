"""The shortest row of insertions and removals between two sequences.

The greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): its
time grows with the number of differences, not with the product of the lengths. difflib's matcher
leaves out what is frequent, which kinds of operators are.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

MOST = 600  # differences; time and memory grow with their square


def common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """Pairs of indices of the elements that stay; None beyond ``MOST`` differences."""
    frontier = {1: 0}  # diagonal (index in a minus index in b) -> how far in a
    history: list[dict[int, int]] = []
    for count in range(MOST + 1):
        history.append(dict(frontier))
        for diagonal in range(-count, count + 1, 2):
            x = _next(frontier, diagonal, count)
            while x < len(a) and x - diagonal < len(b) and a[x] == b[x - diagonal]:
                x += 1
            frontier[diagonal] = x
            if x >= len(a) and x - diagonal >= len(b):
                return _back(history, len(a), len(b))
    return None


def _next(frontier: dict[int, int], diagonal: int, count: int) -> int:
    """Where the diagonal is entered: one down from above, or one to the right."""
    above, left = frontier.get(diagonal + 1, -1), frontier.get(diagonal - 1, -1)
    if diagonal == -count or (diagonal != count and left < above):
        return above
    return left + 1


def _back(history: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for count in range(len(history) - 1, -1, -1):
        diagonal = x - y
        start = _next(history[count], diagonal, count)
        while x > start:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        if count:
            down = start == history[count].get(diagonal + 1, -1) and (
                diagonal == -count
                or (
                    diagonal != count
                    and history[count].get(diagonal - 1, -1) < history[count][diagonal + 1]
                )
            )
            x, y = (x, y - 1) if down else (x - 1, y)
    return pairs[::-1]
