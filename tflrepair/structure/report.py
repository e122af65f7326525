"""Where a fault is: byte and path, found from the ways that lead to a table."""

from __future__ import annotations

from tflrepair.structure.fault import EXCESS, Faults, TooMuchError
from tflrepair.structure.rows import Arrival, Rows


class Report:
    """Faults of one file, and the fields that lead to tables of each type (``arrivals``)."""

    def __init__(self, size: int, faults: Faults) -> None:
        self.size = size
        self.faults = faults
        self.arrivals: dict[str, list[Arrival]] = {}
        self._steps: dict[str, dict[int, tuple[Arrival, int, int]]] = {}

    def fault(self, rows: Rows, row: int, name: str, code: str, text: str) -> None:
        """Note a fault in the field ``name`` of a row."""

        def place() -> tuple[int, str]:
            return rows.place(row, name), f"{self.path(rows, row)}.{name}".lstrip(".")

        self.faults.add(code, place, text)

    def excess(self, rows: Rows, text: str) -> None:
        """Note that reading has no end. Raises TooMuchError."""
        self.faults.add(EXCESS, lambda: (rows.positions[0], self.path(rows, 0)), text)
        raise TooMuchError

    def overlap(self, rows: Rows, name: str) -> None:
        """Note that what should lie side by side overlaps. Raises TooMuchError."""
        self.excess(rows, f"its {name} overlap, which makes them longer than the file")

    def table_fault(self, rows: Rows, row: int, code: str, text: str) -> None:
        """Note that the table of a row cannot be read."""
        rows.broken.add(row)
        self.faults.add(code, lambda: (rows.positions[row], self.path(rows, row)), text)

    def beyond(self, pos: int) -> str:
        return f"byte {pos}, and the file ends at byte {self.size}"

    def path(self, rows: Rows, row: int) -> str:
        """``subgraphs[0].operators[17]`` of a row; empty for the root."""
        parts: list[str] = []
        while rows.table != "Model":
            steps = self._steps.get(rows.table)
            if steps is None:
                steps = self._steps[rows.table] = {}
                for arrival in self.arrivals[rows.table]:
                    for child, parent, number in arrival.steps():
                        steps.setdefault(child, (arrival, parent, number))
            arrival, row, number = steps[rows.positions[row]]
            parts.append(arrival.field + (f"[{number}]" if number >= 0 else ""))
            rows = arrival.parent
        return ".".join(reversed(parts))
