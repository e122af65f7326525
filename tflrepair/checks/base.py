"""What a check is, and how it is registered: one file a rule, one decorator.

    @check("TFR001", Severity.ERROR)
    def no_initial_value(context: AnalysisContext) -> Iterator[Found]: ...

The docstring of the module is the rule's documentation (``tflrepair explain TFR001``).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tflrepair.analysis.context import AnalysisContext
from tflrepair.findings import NOWHERE, Finding, Location, Severity
from tflrepair.graph.location import OperatorRef
from tflrepair.wording import grouped


class Needs(StrEnum):
    """What a check reads: the tables alone, the analysis of resources, or weights as well."""

    TABLES = "tables"
    ANALYSIS = "analysis"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check says; its code and severity are those it is registered with.

    ``variables``: shared names of all that it is about, where the message names only some.
    """

    message: str
    hint: str = ""
    location: Location = NOWHERE
    variables: tuple[str, ...] = ()


Run = Callable[[AnalysisContext], Iterator[Found]]


@dataclass(frozen=True)
class Check:
    """A registered rule.

    Attributes:
        code: permanent, never used again for something else.
        doc: what, why it matters, an example, and how it is fixed.
        home: the module it stands in.
    """

    code: str
    severity: Severity
    needs: Needs
    doc: str
    home: str
    run: Run

    def findings(self, context: AnalysisContext) -> Iterator[Finding]:
        for found in self.run(context):
            yield Finding(
                self.code,
                self.severity,
                found.message,
                found.hint,
                found.location,
                variables=found.variables or one(found.location.variable),
            )


def one(name: str | None) -> tuple[str, ...]:
    """A name, if there is one."""
    return () if name is None else (name,)


CHECKS: dict[str, Check] = {}


def check(code: str, severity: Severity, needs: Needs = Needs.ANALYSIS) -> Callable[[Run], Run]:
    """Register the decorated function as the rule ``code``.

    Raises:
        ValueError: another module has this code already, or its module has no docstring.
    """

    def register(run: Run) -> Run:
        doc = inspect.getdoc(sys.modules[run.__module__])
        known = CHECKS.get(code)
        if not doc or (known is not None and known.home != run.__module__):
            raise ValueError(f"{run.__module__}: {code} has no docstring or is taken")
        CHECKS[code] = Check(code, severity, needs, doc, run.__module__, run)
        return run

    return register


def location(
    operator: OperatorRef | None = None, signature: str | None = None, variable: str | None = None
) -> Location:
    """The place of an operator, with the signature and the variable that it is about."""
    return Location(
        subgraph=operator.subgraph if operator else None,
        operator=operator.operator if operator else None,
        signature=signature,
        variable=variable,
    )


def first_use(context: AnalysisContext, rows: Container[int]) -> Location:
    """The first operator with one of these rows of Model.operator_codes; nowhere if none has."""
    for subgraph in context.model.subgraphs:
        for operator, row in enumerate(subgraph.operator_columns.opcodes):
            if row in rows:
                return Location(subgraph=subgraph.index, operator=operator)
    return NOWHERE


def names(values: list[str], most: int = 3) -> str:
    """``a, b, c and 7 more``."""
    shown = ", ".join(repr(value) for value in values[:most])
    more = len(values) - most
    return f"{shown} and {grouped(more)} more" if more > 0 else shown
