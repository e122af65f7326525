"""References: where the offsets in one field of many tables lead, and whether anything is there."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import reduce
from operator import or_

from tflrepair.structure.fault import ALIGNMENT, OFFSET, TERMINATOR, UTF8, VECTOR
from tflrepair.structure.report import Report
from tflrepair.structure.rows import BROKEN, Rows
from tflrepair.structure.vtables import Field
from tflrepair.structure.words import SIZES, Pick, Words
from tflrepair.wording import plural

# As many as flatbuffers::Verifier visits at most.
MOST_TABLES = 1_000_000
_AT_ONCE = 4096  # strings that are decoded together


class References:
    """Follows references for a walk."""

    def __init__(self, report: Report, words: Words) -> None:
        self.report = report
        self.words = words
        self._listed = 0
        self._letters = 0

    def follow(
        self, rows: Rows, field: Field, members: Sequence[int], places: list[int], pick: Pick
    ) -> None:
        """Follow one field of all tables that share a vtable, and check what it leads to.

        ``pick`` takes what is at ``places`` out of an array.
        """
        if not places:
            return
        start = field.offset
        offsets = self.words.picked("I", pick, start)
        targets = [pos + start + offset for pos, offset in zip(places, offsets, strict=True)]
        # 2 GB further is behind the end in any case: ``Words.size`` is less
        if min(offsets) == 0 or max(targets) >= self.words.size:
            targets = [
                target if self._leads(rows, row, field.name, offset, target) else BROKEN
                for row, offset, target in zip(members, offsets, targets, strict=True)
            ]
        kind = field.kind
        if kind[0] == "s":
            targets = self._strings(rows, field.name, members, targets)
        elif kind[0] == "[":
            item = 4 if kind[1] == "*" else SIZES[kind[1]]
            targets = self._vectors(rows, field.name, members, targets, item)
        if len(members) == len(rows):
            rows.refs[field.name] = array("q", targets)  # a fifth of a list's memory
        else:
            column = rows.refs.get(field.name)
            if column is None:
                column = rows.refs[field.name] = array("q", bytes(8 * len(rows)))
            for row, target in zip(members, targets, strict=True):
                column[row] = target
        if kind[:2] == "[*":
            lists = rows.lists.setdefault(field.name, {})
            for pos in targets:
                if pos > 0 and pos not in lists:
                    lists[pos] = self._list(rows, field.name, pos)

    def _leads(self, rows: Rows, row: int, name: str, offset: int, target: int) -> bool:
        if offset == 0:
            self.report.fault(rows, row, name, OFFSET, "its offset is 0, so it refers to itself")
        elif offset >= 1 << 31 or target >= self.words.size:
            self.report.fault(
                rows, row, name, OFFSET,
                f"its offset of {plural(offset, 'byte')} leads to {self.report.beyond(target)}",
            )  # fmt: skip
        else:
            return True
        return False

    def _vectors(
        self, rows: Rows, name: str, members: Sequence[int], targets: list[int], item: int
    ) -> list[int]:
        """Bounds of the vectors at ``targets``, elements of ``item`` bytes each."""
        unsigned, size = self.words["I"], self.words.size
        last = max(targets)
        if not reduce(or_, targets) & 3 and last <= size - 4:  # BROKEN has these bits, too
            counts = [unsigned[pos >> 2] for pos in targets]
            if last + 4 + max(counts) * item <= size:
                return targets
            if all(p + 4 + n * item <= size for p, n in zip(targets, counts, strict=True)):
                return targets
        return [
            pos if pos == BROKEN or self._vector(rows, row, name, pos, item) else BROKEN
            for row, pos in zip(members, targets, strict=True)
        ]

    def _vector(self, rows: Rows, row: int, name: str, pos: int, item: int) -> bool:
        if pos > self.words.size - 4:
            self.report.fault(
                rows, row, name, VECTOR, f"it begins at {self.report.beyond(pos + 4)}"
            )
        elif pos % 4:
            self.report.fault(
                rows, row, name, ALIGNMENT, f"it leads to byte {pos}, not aligned to 4"
            )
        else:
            count = self.words["I"][pos >> 2]
            if pos + 4 + count * item <= self.words.size:
                return True
            self.report.fault(
                rows, row, name, VECTOR,
                f"its {plural(count, 'element')} ({plural(count * item, 'byte')}) at byte "
                f"{pos} run past the end "
                f"of the file ({plural(self.words.size, 'byte')})",
            )  # fmt: skip
        return False

    def _strings(
        self, rows: Rows, name: str, members: Sequence[int], targets: list[int]
    ) -> list[int]:
        """Bounds, terminator and encoding of the strings at ``targets``."""
        targets = self._vectors(rows, name, members, targets, 1)
        unsigned, size, buf = self.words["I"], self.words.size, self.words.buf
        different = set(targets) - {BROKEN}
        self._letters += sum([unsigned[pos >> 2] for pos in different])
        if self._letters > size:
            self.report.excess(rows, "its strings overlap, which makes them longer than the file")
        if BROKEN not in targets and self._sound(different):
            return targets
        wrong: dict[int, tuple[str, str]] = {}
        for pos in different:
            end = pos + 4 + unsigned[pos >> 2]
            if end >= size or buf[end]:
                wrong[pos] = TERMINATOR, f"the string at byte {pos} does not end with a zero byte"
                continue
            try:
                str(buf[pos + 4 : end], "utf-8")
            except UnicodeDecodeError as error:
                wrong[pos] = UTF8, f"the text at byte {pos} is not UTF-8: {error.reason}"
        if not wrong:
            return targets
        for row, pos in zip(members, targets, strict=True):
            if pos in wrong:
                self.report.fault(rows, row, name, *wrong[pos])
        return [BROKEN if pos in wrong else pos for pos in targets]

    def _sound(self, strings: set[int]) -> bool:
        """Whether all of them end with a zero and are UTF-8.

        Many are decoded at once: the zeros between them keep each for itself.
        """
        unsigned, buf = self.words["I"], self.words.buf
        places = list(strings)
        for first in range(0, len(places), _AT_ONCE):
            part = places[first : first + _AT_ONCE]
            ends = [pos + 4 + unsigned[pos >> 2] for pos in part]
            if max(ends) >= self.words.size or any(map(buf.__getitem__, ends)):
                return False
            texts = [buf[pos + 4 : end + 1] for pos, end in zip(part, ends, strict=True)]
            try:
                str(b"".join(texts), "utf-8")
            except UnicodeDecodeError:
                return False
        return True

    def _list(self, rows: Rows, name: str, pos: int) -> list[int]:
        """Positions of the tables in the vector at ``pos``; 0 offsets are left out."""
        offsets = self.words.vector(pos, "I")
        self._listed += len(offsets)
        if self._listed > MOST_TABLES:
            self.report.excess(rows, f"its lists have more than {plural(MOST_TABLES, 'table')}")
        first = range(pos + 4, pos + 4 + 4 * len(offsets), 4)
        if offsets and (min(offsets) == 0 or max(offsets) >= 1 << 31):
            for number, offset in enumerate(offsets):
                if offset == 0 or offset >= 1 << 31:
                    self._list_fault(rows, name, pos, number, offset)
            return [0 if o == 0 else place + o for place, o in zip(first, offsets, strict=True)]
        return [place + offset for place, offset in zip(first, offsets, strict=True)]

    def _list_fault(self, rows: Rows, name: str, pos: int, number: int, offset: int) -> None:
        def place() -> tuple[int, str]:
            path = self.report.path(rows, rows.refs[name].index(pos))
            return pos + 4 + 4 * number, f"{path}.{name}[{number}]".lstrip(".")

        self.report.faults.add(OFFSET, place, f"its offset is {offset}, which leads to no table")
