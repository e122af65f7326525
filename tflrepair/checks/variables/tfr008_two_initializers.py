"""Two initializer subgraphs set the same variable.

What: CALL_ONCE runs each target subgraph once in an interpreter's life. Two targets that assign
one variable run at different times: each when its signature is first called.

Why it matters: train for an hour, call `infer` for the first time, and its own initializer puts
the old weights back.

On each runtime:

    LiteRT, tf.lite   each target runs once in an interpreter's life (initialization_status.cc):
                      the later one undoes what was trained since the first
    TFLM              each CALL_ONCE operator runs once (micro/kernels/call_once.cc), but only those
                      of subgraph 0

Example: every signature has its own copy of the initializer subgraph.

How it is fixed: let all entries call one shared initializer.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity


@check("TFR008", Severity.ERROR)
def two_initializers(context: AnalysisContext) -> Iterator[Found]:
    targets = set(context.analysis.initializers)
    groups: dict[tuple[int, ...], list[str]] = {}
    for variable in context.analysis.variables:
        setters = tuple(sorted({site.subgraph for site in variable.assigned_by} & targets))
        if len(setters) > 1:
            groups.setdefault(setters, []).append(variable.name)
    for setters, variables in groups.items():
        listed = " and ".join(str(index) for index in setters)
        yield Found(
            f"subgraphs {listed} both initialize {names(variables)}; trained values are lost when "
            "the second one is first called",
            "reconvert the model so that all signatures share one initializer",
            location=location(variable=variables[0]),
        )
