"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.notebook import Presentable


@dataclass(frozen=True)
class Change:
    """Something that both have, but not alike. ``a`` and ``b`` say how; empty: it has none.

    ``what`` says what it is: ``signature infer``, ``option stride_w``, ``input 1``; ``name`` is the
    name of a tensor or variable where there is one.
    ``max_abs`` and ``mean_abs`` are distances between values, ``scale`` the largest value of A.
    """

    what: str
    a: str
    b: str
    max_abs: float | None = None
    mean_abs: float | None = None
    scale: float | None = None
    name: str = ""

    @classmethod
    def of(cls, what: str, sides: Iterable[str]) -> Change:
        """From the two texts."""
        a, b = sides
        return cls(what, a, b)


@dataclass(frozen=True)
class OperatorChange:
    a: Operator
    b: Operator
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class SubgraphDiff:
    """Two subgraphs side by side.

    Attributes:
        pairs: (operator of A, operator of B) that are the same one, in order.
        removed, inserted: operators that only A or only B has.
        changed: pairs with differences.
        renamed: outputs of aligned operators that have another name, which changes nothing.
        unpacking: (of A, of B) operators that only unpack a constant (DEQUANTIZE, DENSIFY); what
            they give is compared where it is used.
    """

    a: int
    b: int
    label: str
    pairs: tuple[tuple[int, int], ...]
    removed: tuple[Operator, ...]
    inserted: tuple[Operator, ...]
    changed: tuple[OperatorChange, ...]
    ports: tuple[Change, ...]
    renamed: int
    unpacking: tuple[int, int]

    @property
    def same(self) -> bool:
        return not (self.removed or self.inserted or self.changed or self.ports)


@dataclass(frozen=True)
class ValueGap:
    """An output of two aligned operators whose values differ.

    Attributes:
        max_abs, mean_abs: of |a - b|, in real numbers; infinite where shapes differ or one is NaN.
        scale: the largest |a|.
        beyond: further apart than kernels' rounding explains (max_abs > 1e-5 + 1e-4 * scale).
        at_fault: all values that the operator computes from agree to within that.
    """

    a: Operator
    b: Operator
    output: int
    max_abs: float
    mean_abs: float
    scale: float
    beyond: bool
    at_fault: bool
    text: str = ""


@dataclass(frozen=True)
class RunDiff:
    """One run of both. ``gaps`` holds every output that is not equal to the bit, in A's order.

    ``compared`` counts outputs; ``missing`` those without a value to compare, and why.
    """

    label: str
    runtime: str
    inputs: str
    compared: int
    gaps: tuple[ValueGap, ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def same(self) -> bool:
        return not any(gap.beyond for gap in self.gaps)

    @property
    def fault(self) -> ValueGap | None:
        """The first operator at fault."""
        return next((gap for gap in self.gaps if gap.beyond and gap.at_fault), None) or next(
            (gap for gap in self.gaps if gap.beyond), None
        )


@dataclass(frozen=True, repr=False)
class DiffResult(Presentable):
    """Two models. ``same`` means: they give the same outputs for the same inputs,
    as far as the files show.

    Attributes:
        first, second: the models A and B with what is known of them.
        signatures, variables: what differs there.
        subgraphs: pairs; ``only_a`` and ``only_b`` are subgraphs without a partner.
        remarks: what differs without changing an answer: metadata, description, versions.
        run: the comparison by running, where it was asked for.
    """

    first: AnalysisContext
    second: AnalysisContext
    signatures: tuple[Change, ...]
    subgraphs: tuple[SubgraphDiff, ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    variables: tuple[Change, ...]
    remarks: tuple[Change, ...]
    run: RunDiff | None = field(default=None)

    @property
    def a(self) -> Model:
        return self.first.model

    @property
    def b(self) -> Model:
        return self.second.model

    @property
    def same(self) -> bool:
        alike = not (self.signatures or self.variables or self.only_a or self.only_b)
        alike = alike and all(row.same for row in self.subgraphs)
        return alike and (self.run is None or self.run.same)

    def headline(self) -> str:
        names = f"{self.a.path or 'A'} and {self.b.path or 'B'}"
        return f"{names}: {'no difference' if self.same else 'they differ'}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each difference."""
        rows = [_row("", c) for c in (*self.signatures, *self.variables)]
        for graph in self.subgraphs:
            rows += [_row(f"subgraph {graph.a}", c) for c in graph.ports]
            for changed in graph.changed:
                place = f"subgraph {graph.a}, operator {changed.a.index} {changed.a.name}"
                rows += [_row(place, c) for c in changed.changes]
            for side, operators in (("A", graph.removed), ("B", graph.inserted)):
                rows += [
                    _row(f"subgraph {o.subgraph}, operator {o.index} {o.name}",
                         Change(f"only in {side}", "", ""))
                    for o in operators
                ]  # fmt: skip
        return rows


def _row(place: str, change: Change) -> dict[str, Any]:
    return {
        "place": place,
        "what": f"{change.what} {change.name}".strip(),
        "a": change.a,
        "b": change.b,
        "max_abs": change.max_abs,
        "mean_abs": change.mean_abs,
    }
