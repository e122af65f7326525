"""The initializer is not called everywhere.

What: a CALL_ONCE sets these variables at some entry points, but another reads them without it.

Why it matters: whichever signature is called first decides. If the one without CALL_ONCE is
first, it fails or answers garbage, and what it assigned is overwritten later, when the
initializer runs after all.

On each runtime:

    LiteRT, tf.lite   the entry fails (TFR003) unless another has run the initializer before, once
                      in the life of the interpreter (initialization_status.cc)
    TFLM              runs subgraph 0 only: right if that one calls the initializer, else zeros

Example: `infer` begins with CALL_ONCE, `train` does not.

How it is fixed: `tflrepair fix MODEL` puts the same CALL_ONCE at the head of the others; the
values are in the file, so no weights are needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Variable
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity


@check("TFR006", Severity.ERROR)
def partial_call_once(context: AnalysisContext) -> Iterator[Found]:
    groups: dict[tuple[str, ...], list[Variable]] = {}
    for variable in context.analysis.variables + context.analysis.tables:
        if variable.status == VariableStatus.PARTIAL:
            groups.setdefault(variable.unset_in, []).append(variable)
    for readers, variables in groups.items():
        quoted = ", ".join(f"`{label}`" for label in readers)
        yield Found(
            f"{quoted} reads {names([v.name for v in variables])} without calling the "
            "initializer that other entries call first",
            "call it there, too: tflrepair fix MODEL",
            location=location(
                variables[0].read_by[0], signature=readers[0], variable=variables[0].name
            ),
        )
