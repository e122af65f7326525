"""A loop never ends: its condition is a constant.

What: a WHILE whose condition is a constant that is true.

Why it matters: whoever runs the signature waits for ever. `verify` and `fix` do not run a signature
that always comes to such a loop; the others have 10 s of computing.

On each runtime:

    LiteRT, tf.lite   the call never returns, and Python cannot cancel it
    TFLM              the same; a watchdog resets the device

Example: `tf.while_loop(lambda x: True, ...)`, without `maximum_iterations`.

How it is fixed: in the source. The condition must look at something that the body changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import stuck_loops
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity


@check("TFR033", Severity.ERROR, Needs.TABLES)
def endless_loop(context: AnalysisContext) -> Iterator[Found]:
    for loop in context.once(stuck_loops):
        if loop.endless:
            yield Found(
                f"{loop.place} never ends once it is reached: its condition is a constant",
                "have its condition look at something that its body changes, and convert again",
                Location(subgraph=loop.subgraph, operator=loop.operator),
            )
