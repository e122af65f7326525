"""All tables of one type, in columns, and the ways that lead to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from functools import cached_property

from tflrepair.sources.pages import SIZES
from tflrepair.structure.vtables import Plan
from tflrepair.structure.words import Words

BROKEN = -1  # a reference that is there and leads nowhere


class Rows:
    """The tables of one type, each once, in the order in which the file refers to them.

    Attributes:
        positions: byte of each table.
        times: how often each is referred to, over all ways from the root; None if each once.
        refs: a column for each field that refers to something: byte of what it refers to, 0 if
            the field is absent, BROKEN if it leads nowhere.
        broken: numbers of the rows whose table cannot be read.
    """

    def __init__(self, words: Words, table: str, positions: list[int]) -> None:
        self.words = words
        self.table = table
        self.positions = positions
        self.times: list[int] | None = None
        self.refs: dict[str, MutableSequence[int]] = {}
        self.broken: set[int] = set()
        self.groups: list[tuple[Plan, Sequence[int], list[int]]] = []
        self.lists: dict[str, dict[int, list[int]]] = {}
        self._columns: dict[tuple[str, int], list[int]] = {}

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def index(self) -> dict[int, int]:
        """byte -> number of the row."""
        return {pos: row for row, pos in enumerate(self.positions)}

    def ref(self, name: str) -> Sequence[int]:
        """The column of a reference."""
        return self.refs.get(name) or [0] * len(self.positions)

    def column(self, name: str, default: int = 0) -> list[int]:
        """The numbers in a scalar field; ``default`` where it is absent."""
        known = self._columns.get((name, default))
        if known is None:
            known = self._columns[name, default] = self._read(name, default)
        return known

    def _read(self, name: str, default: int) -> list[int]:
        column = [default] * len(self.positions)
        for plan, members, places in self.groups:
            for field in plan.fields:
                if field.name == name:
                    view, size = self.words[field.kind], SIZES[field.kind]
                    offset = field.offset
                    values = [view[(pos + offset) // size] for pos in places]
                    if len(members) == len(column):
                        column = values
                    else:
                        for row, value in zip(members, values, strict=True):
                            column[row] = value
        return column

    def children(self, name: str) -> list[list[int]]:
        """The positions of the tables in the vector ``name`` of each row; 0 leads nowhere."""
        lists = self.lists.get(name, {})
        return [lists.get(target, []) for target in self.ref(name)]

    def place(self, row: int, name: str) -> int:
        """The byte of the field ``name`` of a row; that of the table if it is absent."""
        for plan, members, _ in self.groups:
            number = bisect_left(members, row)
            if number < len(members) and members[number] == row:
                offsets = [field.offset for field in plan.fields if field.name == name]
                return self.positions[row] + sum(offsets)
        return self.positions[row]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The references in one field of all rows of a parent that lead to tables of one type.

    ``members`` are the parent's rows in question, for a union; None means all.
    """

    parent: Rows
    field: str
    members: Sequence[int] | None = None

    @property
    def in_lists(self) -> bool:
        return self.field in self.parent.lists

    def _targets(self) -> list[tuple[int, int]]:
        column = self.parent.refs[self.field]
        rows = range(len(column)) if self.members is None else self.members
        return [(row, column[row]) for row in rows if column[row] > 0]

    def flat(self) -> list[int] | None:
        """All children, or None if something is referred to twice on the way."""
        if self.parent.times is not None:
            return None
        targets = [target for _, target in self._targets()]
        if not self.in_lists:
            return targets
        lists = self.parent.lists[self.field]
        if len(lists) != len(targets):
            return None
        return [child for children in lists.values() for child in children if child]

    def counted(self) -> Iterator[tuple[int, int]]:
        """(child, how often it is referred to), a child once for each list that it is in."""
        times = self.parent.times
        totals: dict[int, int] = {}
        for row, target in self._targets():
            totals[target] = totals.get(target, 0) + (times[row] if times else 1)
        if not self.in_lists:
            yield from totals.items()
            return
        lists = self.parent.lists[self.field]
        for target, total in totals.items():
            for child in lists[target]:
                if child:
                    yield child, total

    def steps(self) -> Iterator[tuple[int, int, int]]:
        """(child, parent's row, place in the list or -1); of shared lists the first."""
        seen = set()
        for row, target in self._targets():
            if target in seen:
                continue
            seen.add(target)
            if not self.in_lists:
                yield target, row, -1
                continue
            for number, child in enumerate(self.parent.lists[self.field][target]):
                yield child, row, number
