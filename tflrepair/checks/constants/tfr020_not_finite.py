"""A constant holds NaN or Inf.

What: weights or initial values that are not finite numbers.

Why it matters: one NaN turns every answer that depends on it into NaN.

On each runtime:

    the same on all: IEEE arithmetic hands a NaN on, through products and sums

Example: the model was saved after its training had diverged.

How it is fixed: train again from a checkpoint before the divergence. For variables:
`tflrepair fix MODEL --replace --weights FILE`. A lone infinity may be meant (a mask, a bound).
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.checks.constants.weights import weights
from tflrepair.findings import Location, Severity
from tflrepair.wording import plural


@check("TFR020", Severity.WARNING, Needs.VALUES)
def not_finite(context: AnalysisContext) -> Iterator[Found]:
    for tensor, stats in weights(context):
        if stats.nan or (stats.inf and stats.count > 1):
            parts = [f"{n} {word}" for n, word in ((stats.nan, "NaN"), (stats.inf, "Inf")) if n]
            yield Found(
                f"{tensor.name!r} holds {' and '.join(parts)} among {plural(stats.count, 'value')}",
                f"look at them: tflrepair show MODEL --tensor '#{tensor.index}' --values",
                Location(subgraph=tensor.subgraph, tensor=tensor.index, buffer=tensor.buffer),
            )
