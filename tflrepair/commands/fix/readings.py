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
Reading = tuple[Rows, ...]  # the rows of each layer of a group
_MOST_STEPS = 100_000


class Readings:
    """All combinations of readings of a table's open layers.

    Attributes:
        groups: the readings of each group that are legal, the likeliest first, ``most`` of them.
        is_whole: whether that is all of them.
    """

    def __init__(self, table: MatchTable, most: int) -> None:
        self._digests: dict[tuple[str, str], bytes] = {}
        self._taken = frozenset(place(row) for row in table.rows if row.weight is not None)
        self._choices: list[list[list[Rows]]] = []
        self.groups: list[list[Reading]] = []
        self.is_whole = True
        for group in _groups(table.problems):
            choices = [self._distinct(problem.choices) for problem in group]
            found = list(islice(self._once(_combined(choices, self._taken)), most + 1))
            self.is_whole &= len(found) <= most
            self.groups.append(found[:most])
            self._choices.append(choices)

    @property
    def count(self) -> int:
        """How many combinations there are, of those that are looked at."""
        total = 1
        for group in self.groups:
            total *= len(group)
        return total

    def all(self) -> Iterator[tuple[Reading, ...]]:
        """Every combination of those that are looked at."""
        yield from product(*self.groups)

    def near(self, combination: Sequence[Reading], group: int) -> list[tuple[Reading, ...]]:
        """The combinations that differ in one layer of one group, or in two that are exchanged."""
        now = combination[group]
        found: dict[tuple[tuple[str, bytes], ...], Reading] = {}
        for layer, choices in enumerate(self._choices[group]):
            for choice in choices:
                other = self._moved(now, group, layer, choice)
                if other is not None:
                    found.setdefault(self._values(sum(other, ())), other)
        found.pop(self._values(sum(now, ())), None)
        return [(*combination[:group], r, *combination[group + 1 :]) for r in found.values()]

    def _moved(self, now: Reading, group: int, layer: int, choice: Rows) -> Reading | None:
        """``now`` with the choice for this layer; who had its arrays takes what the layer had."""
        wanted = _places(choice)
        if len(wanted) < len(choice) or wanted & self._taken:
            return None
        holders = [n for n, r in enumerate(now) if n != layer and _places(r) & wanted]
        new = [*now[:layer], choice, *now[layer + 1 :]]
        if len(holders) > 1:
            return None
        for holder in holders:
            used = self._taken.union(*(_places(r) for n, r in enumerate(new) if n != holder))
            free = [r for r in self._choices[group][holder] if not _places(r) & used]
            had = [r for r in free if _places(r) == _places(now[layer])]
            if not free:
                return None
            new[holder] = (had or free)[0]
        return tuple(new)

    def _distinct(self, choices: Iterable[Rows]) -> list[Rows]:
        return list({self._values(rows): rows for rows in reversed(list(choices))}.values())[::-1]

    def _once(self, combined: Iterable[Reading]) -> Iterator[Reading]:
        seen = set()
        for reading in combined:
            values = self._values(sum(reading, ()))
            if values not in seen:
                seen.add(values)
                yield reading

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
) -> Iterator[Reading]:
    """Every combination that takes no array twice, depth first, in the order of the choices."""
    steps = 0
    stack: list[tuple[Reading, frozenset[tuple[str, str]]]] = [((), taken)]
    while stack and steps < _MOST_STEPS:
        steps += 1
        reading, used = stack.pop()
        if len(reading) == len(choices):
            yield reading
            continue
        for rows in reversed(choices[len(reading)]):
            places = _places(rows)
            if len(places) == len(rows) and not places & used:
                stack.append(((*reading, rows), used | places))


def _places(rows: Rows) -> frozenset[tuple[str, str]]:
    return frozenset(map(place, rows))


def place(row: Row) -> tuple[str, str]:
    """What the row takes: (source, path), or a name of its own."""
    return (row.weight.source, row.weight.path) if row.weight else ("", row.target.shared_name)
