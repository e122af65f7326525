"""Every table of a file, type by type from the root down, with all its references checked.

The rules are those of the flatbuffers verifier (include/flatbuffers/verifier.h), which is what
runtimes ask before they read a file, and some that it lacks: an offset in a list may not be 0, and
a field may not lie outside its table. It goes by columns instead of by tables: the offsets of one
field in all tables that share a vtable are read, followed and compared at once, and looked at one
by one only if any of them is wrong. A table that is referred to twice is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_, sub

from tflrepair.format.layout import TABLES, UNIONS
from tflrepair.structure.fault import ALIGNMENT, OFFSET, VTABLE, Faults
from tflrepair.structure.references import MOST_TABLES, References
from tflrepair.structure.report import Report
from tflrepair.structure.rows import Arrival, Rows
from tflrepair.structure.vtables import Plan, read_plan
from tflrepair.structure.words import SIZES, Words, at
from tflrepair.wording import plural

# Stricter: what tells a file that refers to the same tables again and again from an honest one.
_MOST_REPEATED = 65_536


class Walk:
    """The walk over one file.

    Attributes:
        rows: the tables by type, filled as the walk goes on.
        report: what is wrong, and which fields lead to tables of a type.
    """

    def __init__(self, words: Words, faults: Faults) -> None:
        self.words = words
        self.report = Report(words.size, faults)
        self.rows: dict[str, Rows] = {}
        self._visits = 0
        self._repeated = 0
        self._references = References(self.report, words)

    def run(self, root: int) -> None:
        """Walk from the root table at byte ``root``. Raises TooMuchError."""
        for table in TABLES:
            if table == "Model":
                self._tables(table, [root], None)
            elif table in self.report.arrivals:
                self._tables(table, *self._arrived(table))

    def of(self, table: str) -> Rows:
        """The tables of a type; empty if the file has none."""
        return self.rows.get(table) or Rows(self.words, table, [])

    # ---- tables ------------------------------------------------------------------------------

    def _arrived(self, table: str) -> tuple[list[int], list[int] | None]:
        """Positions of all tables of a type, each once, and how often each is referred to."""
        flat: list[int] = []
        for arrival in self.report.arrivals[table]:
            part = arrival.flat()
            if part is None:
                break
            flat += part
        else:
            if len(set(flat)) == len(flat):
                return flat, None
        totals: dict[int, int] = {}
        for arrival in self.report.arrivals[table]:
            for child, times in arrival.counted():
                totals[child] = totals.get(child, 0) + times
        return list(totals), list(totals.values())

    def _tables(self, table: str, positions: list[int], times: list[int] | None) -> None:
        rows = self.rows[table] = Rows(self.words, table, positions)
        rows.times = times
        visits = sum(times) if times else len(positions)
        self._visits += visits
        self._repeated += visits - len(positions)
        if self._visits > MOST_TABLES or self._repeated > max(_MOST_REPEATED, self._visits // 2):
            self.report.excess(
                rows, f"it leads to {plural(self._visits, 'table')}, most of them again and again"
            )
        groups = self._by_vtable(rows)
        for vtable, members in groups.items():
            plan = read_plan(self.words, table, vtable)
            whole = len(members) == len(positions)
            places = positions if whole else [positions[row] for row in members]
            if plan.wrong or plan.misaligned:
                code = VTABLE if plan.wrong else ALIGNMENT
                for row in members:
                    self.report.table_fault(rows, row, code, plan.wrong or plan.misaligned)
                continue
            if max(places) + plan.length > self.words.size:
                members, places = self._within(rows, members, places, plan)
            self._group(rows, plan, members, places)
        for name, kind in TABLES[table]:
            if name in rows.refs:
                self._onward(rows, name, kind)

    def _by_vtable(self, rows: Rows) -> dict[int, Sequence[int]]:
        """vtable's position -> rows. Tables that are no tables are left out."""
        positions, size = rows.positions, self.words.size
        numbers: Sequence[int] = range(len(positions))
        if positions and (max(positions) > size - 4 or reduce(or_, positions) & 3):
            numbers = [row for row in numbers if self._readable(rows, row)]
        places = positions if isinstance(numbers, range) else [positions[row] for row in numbers]
        back = self.words.picked("i", at(places), 0)
        vtables = list(map(sub, places, back))
        groups: dict[int, Sequence[int]] = dict.fromkeys(vtables, numbers)
        if len(groups) > 1:
            lists: dict[int, list[int]] = {vtable: [] for vtable in groups}
            for row, vtable in zip(numbers, vtables, strict=True):
                lists[vtable].append(row)
            groups.update(lists)
        return groups

    def _readable(self, rows: Rows, row: int) -> bool:
        pos = rows.positions[row]
        if pos > self.words.size - 4:
            self.report.table_fault(
                rows, row, OFFSET, f"the table would be at {self.report.beyond(pos)}"
            )
        elif pos % 4:
            self.report.table_fault(
                rows, row, ALIGNMENT, f"the table is at byte {pos}, not aligned to 4"
            )
        return pos <= self.words.size - 4 and not pos % 4

    def _within(
        self, rows: Rows, members: Sequence[int], places: list[int], plan: Plan
    ) -> tuple[Sequence[int], list[int]]:
        end = self.words.size - plan.length
        for row in members:
            if rows.positions[row] > end:
                text = f"the table of {plural(plan.length, 'byte')} runs past the end of the file"
                self.report.table_fault(rows, row, OFFSET, text)
        return (
            [row for row in members if rows.positions[row] <= end],
            [pos for pos in places if pos <= end],
        )

    def _group(self, rows: Rows, plan: Plan, members: Sequence[int], places: list[int]) -> None:
        rows.groups.append((plan, members, places))
        pick = at(places)
        for field in plan.fields:
            size = SIZES.get(field.kind)
            if size is None:
                self._references.follow(rows, field, members, places, pick)
            elif size == 8 and any((pos + field.offset) & 7 for pos in places):
                for row in members:
                    if (rows.positions[row] + field.offset) & 7:
                        self.report.fault(
                            rows, row, field.name, ALIGNMENT, "it is not aligned to 8 bytes"
                        )

    def _onward(self, rows: Rows, name: str, kind: str) -> None:
        """Note which tables the references in one field lead to."""
        if kind[0] == "*" or kind[:2] == "[*":
            self._arrive(kind.lstrip("[*"), Arrival(rows, name))
        elif kind[0] == "|":
            types = rows.column(name + "_type")
            members = UNIONS[kind[1:]]
            groups: dict[int, list[int]] = {}
            for row, target in enumerate(rows.refs[name]):
                if target > 0 and 0 < types[row] < len(members):
                    groups.setdefault(types[row], []).append(row)
            for number, those in groups.items():
                self.report.arrivals.setdefault(members[number], []).append(
                    Arrival(rows, name, those)
                )

    def _arrive(self, table: str, arrival: Arrival) -> None:
        self.report.arrivals.setdefault(table, []).append(arrival)
