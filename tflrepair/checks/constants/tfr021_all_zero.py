"""A weight is all zero.

What: a constant of rank 2 or more that an operator multiplies by, with nothing but zeros in it.

Why it matters: whatever comes out does not depend on what went in; most likely the weights were
lost before the conversion.

On each runtime:

    the same on all: zero times anything is zero

Example: a model that was built but whose weights were never loaded into these layers.

How it is fixed: load the weights before converting. A kernel may be zero on purpose, as the last
one of a residual branch that was never trained.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.checks.constants.weights import weights
from tflrepair.findings import Location, Severity


@check("TFR021", Severity.WARNING, Needs.VALUES)
def all_zero(context: AnalysisContext) -> Iterator[Found]:
    for tensor, stats in weights(context, multiplied=True):
        if stats.count > 1 and len(tensor.shape) > 1 and stats.zeros == stats.count:
            yield Found(
                f"the weight {tensor.name!r} ({tensor.dtype} {list(tensor.shape)}) is all zero",
                "load the weights before converting",
                Location(subgraph=tensor.subgraph, tensor=tensor.index, buffer=tensor.buffer),
            )
