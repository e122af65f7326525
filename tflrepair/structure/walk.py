"""Every table of a file, type by type from the root down, with all its references checked.

The rules are those of the flatbuffers verifier (include/flatbuffers/verifier.h), which is what
runtimes ask before they read a file, and some that it lacks: an offset in a list may not be 0, and
a field may not lie outside its table. It goes by columns instead of by tables: the offsets of one
field in all tables that share a vtable are read, followed and compared at once, and looked at one
by one only if any of them is wrong. A table that is referred to twice is read once.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.format.layout import TABLES, UNIONS
from tflrepair.structure.fault import ALIGNMENT, EXCESS, OFFSET, VTABLE, Faults, TooMuchError
from tflrepair.structure.references import MOST_TABLES, References
from tflrepair.structure.rows import Arrival, Rows
from tflrepair.structure.vtables import Plan, read_plan
from tflrepair.structure.words import SIZES, Words

# Stricter: what tells a file that refers to the same tables again and again from an honest one.
_MOST_REPEATED = 65_536


class Walk:
    """The walk over one file.

    Attributes:
        rows: the tables by type, filled as the walk goes on.
        arrivals: which fields lead to tables of a type.
    """

    def __init__(self, words: Words, faults: Faults) -> None:
        self.words = words
        self.faults = faults
        self.rows: dict[str, Rows] = {}
        self.arrivals: dict[str, list[Arrival]] = {}
        self._visits = 0
        self._repeated = 0
        self._references = References(self, words)
        self._steps: dict[str, dict[int, tuple[Rows, int, str]]] = {}

    def run(self, root: int) -> None:
        """Walk from the root table at byte ``root``. Raises TooMuchError."""
        for table in TABLES:
            if table == "Model":
                self._tables(table, [root], None)
            elif table in self.arrivals:
                self._tables(table, *self._arrived(table))

    def of(self, table: str) -> Rows:
        """The tables of a type; empty if the file has none."""
        return self.rows.get(table) or Rows(self.words, table, [])

    # ---- tables ------------------------------------------------------------------------------

    def _arrived(self, table: str) -> tuple[list[int], list[int] | None]:
        """Positions of all tables of a type, each once, and how often each is referred to."""
        flat: list[int] = []
        for arrival in self.arrivals[table]:
            part = arrival.flat()
            if part is None:
                break
            flat += part
        else:
            if len(set(flat)) == len(flat):
                return flat, None
        totals: dict[int, int] = {}
        for arrival in self.arrivals[table]:
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
            self.excess(rows, f"it leads to {self._visits} tables, most of them again and again")
        groups = self._by_vtable(rows)
        for vtable, members in groups.items():
            plan = read_plan(self.words, table, vtable)
            places = [positions[row] for row in members]
            if plan.wrong or plan.misaligned:
                code = VTABLE if plan.wrong else ALIGNMENT
                for row in members:
                    self._table_fault(rows, row, code, plan.wrong or plan.misaligned)
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
        if positions and (max(positions) > size - 4 or any(pos & 3 for pos in positions)):
            numbers = [row for row in numbers if self._readable(rows, row)]
        signed = self.words["i"]
        groups: dict[int, list[int]] = {}
        for row in numbers:
            pos = positions[row]
            vtable = pos - signed[pos >> 2]
            known = groups.get(vtable)
            if known is None:
                groups[vtable] = [row]
            else:
                known.append(row)
        return dict(groups)

    def _readable(self, rows: Rows, row: int) -> bool:
        pos = rows.positions[row]
        if pos > self.words.size - 4:
            self._table_fault(rows, row, OFFSET, f"the table would be at {self.beyond(pos)}")
        elif pos % 4:
            self._table_fault(rows, row, ALIGNMENT, f"the table is at byte {pos}, not aligned to 4")
        return pos <= self.words.size - 4 and not pos % 4

    def _within(
        self, rows: Rows, members: Sequence[int], places: list[int], plan: Plan
    ) -> tuple[Sequence[int], list[int]]:
        end = self.words.size - plan.length
        for row in members:
            if rows.positions[row] > end:
                text = f"the table of {plan.length} bytes runs past the end of the file"
                self._table_fault(rows, row, OFFSET, text)
        return (
            [row for row in members if rows.positions[row] <= end],
            [pos for pos in places if pos <= end],
        )

    def _table_fault(self, rows: Rows, row: int, code: str, text: str) -> None:
        rows.broken.add(row)
        self.faults.add(code, lambda: (rows.positions[row], self.path(rows, row)), text)

    def _group(self, rows: Rows, plan: Plan, members: Sequence[int], places: list[int]) -> None:
        rows.groups.append((plan, members, places))
        for field in plan.fields:
            size = SIZES.get(field.kind)
            if size is None:
                self._references.follow(rows, field, members, places)
            elif size == 8 and any((pos + field.offset) & 7 for pos in places):
                for row in members:
                    if (rows.positions[row] + field.offset) & 7:
                        self.fault(rows, row, field.name, ALIGNMENT, "it is not aligned to 8 bytes")

    def _onward(self, rows: Rows, name: str, kind: str) -> None:
        """Note which tables the references in one field lead to."""
        if kind[0] == "*" or kind[:2] == "[*":
            self.arrivals.setdefault(kind.lstrip("[*"), []).append(Arrival(rows, name))
        elif kind[0] == "|":
            types = rows.column(name + "_type")
            members = UNIONS[kind[1:]]
            groups: dict[int, list[int]] = {}
            for row, target in enumerate(rows.refs[name]):
                if target > 0 and 0 < types[row] < len(members):
                    groups.setdefault(types[row], []).append(row)
            for number, those in groups.items():
                self.arrivals.setdefault(members[number], []).append(Arrival(rows, name, those))

    # ---- faults ------------------------------------------------------------------------------

    def fault(self, rows: Rows, row: int, name: str, code: str, text: str) -> None:
        """Note a fault in the field ``name`` of a row."""

        def place() -> tuple[int, str]:
            return rows.place(row, name), f"{self.path(rows, row)}.{name}".lstrip(".")

        self.faults.add(code, place, text)

    def excess(self, rows: Rows, text: str) -> None:
        """Note that reading has no end. Raises TooMuchError."""
        self.faults.add(EXCESS, lambda: (rows.positions[0], self.path(rows, 0)), text)
        raise TooMuchError

    def beyond(self, pos: int) -> str:
        return f"byte {pos}, and the file ends at byte {self.words.size}"

    def path(self, rows: Rows, row: int) -> str:
        """``subgraphs[0].operators[17]`` of a row; empty for the root."""
        parts: list[str] = []
        while rows.table != "Model":
            steps = self._steps.get(rows.table)
            if steps is None:
                steps = self._steps[rows.table] = {}
                for arrival in self.arrivals[rows.table]:
                    for child, parent, field in arrival.steps():
                        steps.setdefault(child, (arrival.parent, parent, field))
            rows, row, field = steps[rows.positions[row]]
            parts.append(field)
        return ".".join(reversed(parts))
