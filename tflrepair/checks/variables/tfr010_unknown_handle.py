"""A variable is used, but the file does not show which.

What: READ_VARIABLE, ASSIGN_VARIABLE or their Flex twins take a handle that comes from no
VAR_HANDLE on any path that we follow, for instance out of a custom operator.

Why it matters: nothing can be said about that variable: it may be right or wrong.

On each runtime:

    whatever the runtime, it depends on the operator that gives the handle

Example: `tf.cond` that gives one of two variables' handles, and a read of what it gave.

How it is fixed: `tflrepair show MODEL --around N` shows the operator and what makes its handle. In
the source: read both variables and choose between the values,
`tf.cond(first, a.read_value, b.read_value)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity


@check("TFR010", Severity.WARNING)
def unknown_handle(context: AnalysisContext) -> Iterator[Found]:
    for site in context.analysis.unresolved:
        operator = context.model.subgraph(site.subgraph).operator(site.operator)
        yield Found(
            f"operator {site.operator} ({operator.name}) of subgraph {site.subgraph} uses a "
            "variable that the file does not identify",
            f"see where its handle comes from: tflrepair show MODEL --subgraph {site.subgraph} "
            f"--around {site.operator}",
            location=location(site),
        )
