"""A loop's condition cannot change: the loop does nothing, or never ends.

What: a WHILE whose condition depends only on loop variables that the body hands on as they came.

Why it matters: if the condition holds at the first turn, it holds for ever, and the call never
returns.

On each runtime:

    LiteRT, tf.lite   the call returns at once or never; Python cannot cancel it
    TFLM              the same; a watchdog resets the device

Example: `tf.while_loop(lambda i, x: i < 10, lambda i, x: (i, x * 2), ...)`, which forgets to count.

How it is fixed: in the source. The body must change what the condition looks at.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import stuck_loops
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity


@check("TFR034", Severity.WARNING, Needs.TABLES)
def stuck_loop(context: AnalysisContext) -> Iterator[Found]:
    for loop in context.once(stuck_loops):
        if not loop.endless:
            yield Found(
                f"{loop.place} does nothing or never ends: its body changes nothing that its "
                "condition looks at",
                "have its body change what its condition looks at, and convert again",
                Location(subgraph=loop.subgraph, operator=loop.operator),
            )
