"""The same bytes are in the file several times.

What: constants in different buffers with equal bytes, more than a hundredth of the file.

Why it matters: the file is larger than it needs to be, and so is the memory that it takes.

On each runtime:

    LiteRT, tf.lite   the file is mapped: a copy costs memory only where it is read. XNNPACK packs
                      the weights of each operator into memory of its own
    TFLM              the whole file stands in flash memory

Example: a signature for each of several batch sizes, each with its own copy of the weights.

How it is fixed: keep the weights in variables that the signatures share, or convert with
the signatures in one call, so that constants are shared.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.wording import megabytes

_LEAST = 10_000  # bytes


@check("TFR022", Severity.INFO, Needs.VALUES)
def repeated_constants(context: AnalysisContext) -> Iterator[Found]:
    from tflrepair.views.sizes import repeated, sizes
    from tflrepair.views.tensors import SubgraphView

    model = context.model
    views = tuple(SubgraphView(model, n) for n in range(len(model.subgraphs)))
    groups = repeated(model, sizes(model, views).buffers)
    waste = sum(group[0].length * (len(group) - 1) for group in groups)
    if waste > max(_LEAST, model.size // 100):
        first = groups[0]
        yield Found(
            f"{megabytes(waste)} are copies of bytes that are in the file already; most in "
            f"{len(first)} buffers of {megabytes(first[0].length)}",
            "convert all signatures in one call, or share the weights as variables",
            Location(buffer=first[0].index),
        )
