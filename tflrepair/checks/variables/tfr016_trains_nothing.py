"""A signature for training assigns nothing.

What: a signature called `train` or the like, and what it calls, assigns no variable.

Why it matters: it computes a loss and changes nothing; the loss stays where it is.

On each runtime:

    the same on all: the signature runs, and no variable changes

Example: `optimizer.apply_gradients` was called in Python outside the tf.function, not inside it.

How it is fixed: apply the gradients inside the tf.function that becomes the signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check
from tflrepair.findings import Location, Severity

_TRAINS = re.compile(r"(^|_)(train|training|fit|learn)(_|$|\d)|train_step", re.IGNORECASE)


@check("TFR016", Severity.WARNING)
def trains_nothing(context: AnalysisContext) -> Iterator[Found]:
    analysis = context.analysis
    apart = set(analysis.initializers)
    assigning = {s.subgraph for v in analysis.variables for s in v.assigned_by} - apart
    unknown = {site.subgraph for site in analysis.unresolved}
    for signature in context.model.signatures:
        reached = set(context.calls.reachable(signature.subgraph))
        if _TRAINS.search(signature.key) and reached.isdisjoint(assigning | unknown):
            yield Found(
                f"`{signature.key}` assigns no variable, so it trains nothing",
                "call optimizer.apply_gradients inside the tf.function, and convert again",
                Location(subgraph=signature.subgraph, signature=signature.key),
            )
