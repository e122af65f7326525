"""A signature reads variables that nothing has set.

What: running this signature first in a fresh interpreter reaches a READ_VARIABLE whose variable
has no value yet. The first such operator is named.

Why it matters: this is the call that fails, or worse, answers garbage (see TFR003).

On each runtime:

    LiteRT, tf.lite   builtin kernels stop at this node; with XNNPACK there is no error, and the
                      answer is NaN or garbage (TFR003)
    Flex              stops here, too, with TensorFlow's own error (TFR028)
    TFLM              reads zeros (micro_resource_variable.cc); it runs subgraph 0 only

Example: `infer` reads 268 variables; the first is read by operator 268 of subgraph 0, which is
the node number in the runtime's message `Node number 268 (READ_VARIABLE) failed to invoke`.

How it is fixed: give the variables initial values (TFR001), or, where another signature sets
them, call that one first (TFR005) or fix the file so that nobody has to remember it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity
from tflrepair.graph.location import OperatorRef
from tflrepair.wording import plural


@check("TFR002", Severity.ERROR)
def reads_unset(context: AnalysisContext) -> Iterator[Found]:
    for entry in context.analysis.entries:
        unset = [(key, site) for key, site in entry.unset if key.kind != "table"]
        if not unset:
            continue
        key, site = unset[0]
        what = f"`{entry.label}`" if entry.signatures else f"subgraph {entry.subgraph}"
        count = plural(len(unset), "variable before it is", "variables before they are")
        yield Found(
            f"{what} reads {count} set; first {key.shared_name!r} at {_operator(context, site)}",
            location=location(
                site,
                signature=entry.signatures[0] if entry.signatures else None,
                variable=key.shared_name,
            ),
            variables=tuple(dict.fromkeys(unset.shared_name for unset, _ in entry.unset)),
        )


def _operator(context: AnalysisContext, site: OperatorRef) -> str:
    operator = context.model.subgraph(site.subgraph).operator(site.operator)
    return f"operator {site.operator} ({operator.name}) of subgraph {site.subgraph}"
