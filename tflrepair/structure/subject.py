"""What the rules ask of a file whose tables have been walked: decoded columns, read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from tflrepair.format import schema
from tflrepair.format.layout import UNIONS
from tflrepair.sources.pages import SIZES
from tflrepair.structure.rows import Rows
from tflrepair.structure.walk import Walk

# Options that name subgraphs, and the fields that do.
CALLS = {
    "CallOptions": ("subgraph",),
    "CallOnceOptions": ("init_subgraph_index",),
    "IfOptions": ("then_subgraph_index", "else_subgraph_index"),
    "WhileOptions": ("cond_subgraph_index", "body_subgraph_index"),
    "StablehloWhileOptions": ("cond_subgraph_index", "body_subgraph_index"),
    "StablehloReduceOptions": ("body_subgraph_index",),
    "StablehloReduceWindowOptions": ("body_subgraph_index",),
    "StablehloSortOptions": ("comparator_subgraph_index",),
    "StablehloScatterOptions": ("update_computation_subgraph_index",),
    "StableHLOCompositeOptions": ("decomposition_subgraph_index",),
    "StablehloCaseOptions": ("branch_subgraph_indices",),
    "StablehloCustomCallOptions": ("called_computations",),
}
_UNION_OF = {"builtin_options": "BuiltinOptions", "builtin_options_2": "BuiltinOptions2"}

UNKNOWN = -2  # an operator whose code cannot be told


class Subject:
    """A walked file."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.words = walk.words
        self.of = walk.of
        self._spent = 0
        self._behind: dict[str, int] = {}
        self._limit = 2 * walk.words.total

    def fault(self, code: str, rows: Rows, row: int, name: str, text: str) -> None:
        """Note a fault in field ``name`` of a row; ``""`` for the table itself."""
        self.walk.report.fault(rows, row, name, code, text)

    def vector(self, rows: Rows, name: str, pos: int, kind: str = "i") -> list[Any]:
        """The elements of a vector; nothing if it is absent or broken.

        Raises:
            TooMuchError: more was read than a file without overlapping vectors can hold.
        """
        if pos <= 0:
            return []
        self.spend(rows, name, self.words.count(pos) * SIZES[kind])
        return self.words.vector(pos, kind)

    def spend(self, rows: Rows, name: str, size: int) -> None:
        """Count ``size`` bytes that are read. Raises TooMuchError like ``vector``."""
        self._spent += size
        if self._spent > self._limit:
            self.walk.report.excess(
                rows, f"its {name} overlap, which makes them longer than the file"
            )

    def vectors(self, rows: Rows, name: str, kind: str = "i") -> list[list[int]]:
        """The vector in field ``name`` of each row. Raises TooMuchError as ``vector``."""
        return list(self.each(rows, name, kind))

    def each(self, rows: Rows, name: str, kind: str = "i") -> Iterator[list[int]]:
        """``vectors``, one after the other; ones that overlap count as often as read."""
        unsigned, view, size = self.words["I"], self.words[kind], SIZES[kind]
        if size > 4:
            yield from (self.vector(rows, name, pos, kind) for pos in rows.ref(name))
            return
        spent = 0
        nothing: list[int] = []
        for pos in rows.ref(name):
            if pos <= 0:
                yield nothing
                continue
            count = unsigned[pos >> 2]
            first = (pos + 4) // size
            if count == 1:
                yield [view[first]]
                continue
            spent += count * size
            if spent > self._limit:
                break
            yield view[first : first + count].tolist()
        self.spend(rows, name, spent)

    def text(self, pos: int) -> str:
        """The string at ``pos``; empty if it is absent or broken."""
        if pos <= 0:
            return ""
        return str(self.words.read(pos + 4, self.words.count(pos)), "utf-8")

    def numbers(self, table: str, children: list[int]) -> Sequence[int]:
        """Row numbers of tables by position; -1 for one that leads nowhere."""
        rows = self.of(table)
        # the walk has put them side by side, behind those of the list before
        first = self._behind.get(table, 0)
        end = first + len(children)
        if rows.positions[first:end] == children:
            self._behind[table] = end
            return range(first, end)
        index = rows.index
        return [index.get(child, -1) for child in children]

    def _of_the_model(self, field: str) -> list[int]:
        lists = self.of("Model").children(field)
        return lists[0] if lists else []  # there may be no first table

    @cached_property
    def tensors(self) -> list[Sequence[int]]:
        """Row numbers of the tensors of each subgraph."""
        return [self.numbers("Tensor", row) for row in self.of("SubGraph").children("tensors")]

    @cached_property
    def operators(self) -> list[Sequence[int]]:
        """Row numbers of the operators of each subgraph."""
        return [self.numbers("Operator", row) for row in self.of("SubGraph").children("operators")]

    @cached_property
    def subgraphs(self) -> Sequence[int]:
        """Row number of each entry of Model.subgraphs."""
        return self.numbers("SubGraph", self._of_the_model("subgraphs"))

    @cached_property
    def buffers(self) -> Sequence[int]:
        """Row number of each entry of Model.buffers."""
        return self.numbers("Buffer", self._of_the_model("buffers"))

    @cached_property
    def codes(self) -> list[int]:
        """The builtin code of each row of Model.operator_codes."""
        rows = self.of("OperatorCode")
        newer = rows.column("builtin_code")
        older = rows.column("deprecated_builtin_code")
        numbers = self.numbers("OperatorCode", self._of_the_model("operator_codes"))
        return [max(newer[n], older[n]) if n >= 0 else UNKNOWN for n in numbers]

    @cached_property
    def code_of(self) -> list[int]:
        """The builtin code of each operator."""
        codes, count = self.codes, len(self.codes)
        column = self.of("Operator").column("opcode_index")
        return [codes[number] if number < count else UNKNOWN for number in column]

    @cached_property
    def inputs(self) -> list[list[int]]:
        """Input tensors of each operator."""
        return self.vectors(self.of("Operator"), "inputs")

    @cached_property
    def outputs(self) -> list[list[int]]:
        """Output tensors of each operator."""
        return self.vectors(self.of("Operator"), "outputs")

    @cached_property
    def calls(self) -> dict[int, list[int]]:
        """Operator -> the subgraphs that it calls, as its options say."""
        rows = self.of("Operator")
        found: dict[int, list[int]] = {}
        for union in ("builtin_options", "builtin_options_2"):
            types, refs = rows.column(union + "_type"), rows.ref(union)
            for number, member in enumerate(UNIONS[_UNION_OF[union]]):
                fields = CALLS.get(member)
                if fields and member in self.walk.rows:
                    options = self.of(member)
                    for row, kind in enumerate(types):
                        place = options.index.get(refs[row], -1) if kind == number else -1
                        if place >= 0:
                            found[row] = self._called(options, place, fields)
        return found

    def _called(self, options: Rows, row: int, fields: tuple[str, ...]) -> list[int]:
        called = []
        for field in fields:
            if field.endswith(("indices", "computations")):
                called += self.vector(options, field, options.ref(field)[row])
            else:
                called.append(options.column(field)[row])
        return called

    @cached_property
    def types(self) -> list[int]:
        """TensorType of each tensor."""
        return self.of("Tensor").column("type")

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shape of each tensor; the same shape is the same object."""
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        shapes = map(tuple, self.each(self.of("Tensor"), "shape"))
        return [known.setdefault(shape, shape) for shape in shapes]

    @cached_property
    def data(self) -> list[tuple[int, int] | None]:
        """(first byte, length) of each tensor's constant; None where it has none.

        A buffer with a data vector is one, even if the vector is empty; so is one that lies
        behind the flatbuffer, from offset 2 on (``InterpreterBuilder::ParseTensors``).
        """
        rows, buffers, words = self.of("Buffer"), self.buffers, self.words
        vectors = rows.ref("data")
        offsets, sizes = rows.column("offset"), rows.column("size")
        found: list[tuple[int, int] | None] = []
        for number in self.of("Tensor").column("buffer"):
            row = buffers[number] if 0 < number < len(buffers) else -1
            if row < 0 or vectors[row] < 0:
                found.append(None)
            elif vectors[row]:
                found.append((vectors[row] + 4, words.count(vectors[row])))
            elif offsets[row] > 1:
                found.append((offsets[row], sizes[row]))
            else:
                found.append(None)
        return found


def operator_name(code: int) -> str:
    """``CONV_2D`` for its code, or ``operator 999``."""
    return schema.BUILTIN_OPERATOR_NAMES.get(code, f"operator {code}")
