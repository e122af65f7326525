"""The readings of a weights file that running is to decide between, the likeliest first.

Layers that share arrays among their readings are one group; groups do not touch each other. Within
a group, no two layers take one array. Readings with the same values are one reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Problem, Row

Rows = tuple["Row", ...]
_MOST_STEPS = 100_000


class Readings:
    """All combinations of readings of a table's open layers."""

    def __init__(self, table: MatchTable, most: int) -> None:
        self._digests: dict[tuple[str, str], bytes] = {}
        taken = frozenset(place(row) for row in table.rows if row.weight is not None)
        self.groups: list[list[Rows]] = []
        self.is_whole = True
        for group in _groups(table.problems):
            choices = [self._distinct(problem.choices) for problem in group]
            found = list(islice(self._once(_combined(choices, taken)), most + 1))
            self.is_whole &= len(found) <= most
            self.groups.append(found[:most])

    @property
    def count(self) -> int:
        """How many combinations there are, of those that are looked at."""
        total = 1
        for group in self.groups:
            total *= len(group)
        return total

    def likeliest(self, most: int) -> Iterator[Rows]:
        """All combinations if they are few; else the likeliest of each group, then each group's
        others beside the likeliest of all others."""
        if self.is_whole and self.count <= most:
            yield from (sum(rows, ()) for rows in product(*self.groups))
            return
        yield from islice(self.around(tuple(0 for _ in self.groups)), most)

    def around(self, chosen: Sequence[int]) -> Iterator[Rows]:
        """The combination of these readings, then all that differ from it in one group."""
        if not all(self.groups):
            return
        yield self._rows(chosen)
        for place_, group in enumerate(self.groups):
            for other in range(len(group)):
                if other != chosen[place_]:
                    yield self._rows([*chosen[:place_], other, *chosen[place_ + 1 :]])

    def _rows(self, chosen: Sequence[int]) -> Rows:
        return tuple(row for group, n in zip(self.groups, chosen, strict=True) for row in group[n])

    def _distinct(self, choices: Iterable[Rows]) -> list[Rows]:
        return list({self._values(rows): rows for rows in reversed(list(choices))}.values())[::-1]

    def _once(self, combined: Iterable[Rows]) -> Iterator[Rows]:
        seen = set()
        for rows in combined:
            values = self._values(rows)
            if values not in seen:
                seen.add(values)
                yield rows

    def _values(self, rows: Rows) -> tuple[tuple[str, bytes], ...]:
        return tuple(sorted((row.target.shared_name, self._digest(row)) for row in rows))

    def _digest(self, row: Row) -> bytes:
        key = place(row)
        if key not in self._digests:
            found = hashlib.sha256()
            for piece in row.weight.pieces() if row.weight is not None else ():
                found.update(piece.tobytes())
            self._digests[key] = found.digest()
        return self._digests[key]


def _groups(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems that share an array of their choices, together."""
    groups: list[tuple[set[tuple[str, str]], list[Problem]]] = []
    for problem in problems:
        places = {place(row) for rows in problem.choices for row in rows}
        members = [problem]
        for other in [group for group in groups if group[0] & places]:
            groups.remove(other)
            places |= other[0]
            members = [*other[1], *members]
        groups.append((places, members))
    return [members for _, members in groups]


def _combined(
    choices: Sequence[Sequence[Rows]], taken: frozenset[tuple[str, str]]
) -> Iterator[Rows]:
    """Every combination that takes no array twice, depth first, in the order of the choices."""
    steps = 0
    stack: list[tuple[Rows, frozenset[tuple[str, str]], int]] = [((), taken, 0)]
    while stack and steps < _MOST_STEPS:
        steps += 1
        rows, used, depth = stack.pop()
        if depth == len(choices):
            yield rows
            continue
        for reading in reversed(choices[depth]):
            places = frozenset(map(place, reading))
            if len(places) == len(reading) and not places & used:
                stack.append((rows + reading, used | places, depth + 1))


def place(row: Row) -> tuple[str, str]:
    """What the row takes: (source, path), or a name of its own."""
    return (row.weight.source, row.weight.path) if row.weight else ("", row.target.shared_name)
