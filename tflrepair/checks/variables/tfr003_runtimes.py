"""What each runtime does with a variable that has no value.

What: one and the same file fails in three ways.

Why it matters: where nothing fails, nobody notices.

On each runtime, measured on one broken file:

    builtin kernels   (tf.lite up to 2.19, LiteRT 1.0, or any with the delegate off) error:
                      `read_variable.cc:67 variable != nullptr was not true`
    XNNPACK           (the default in tf.lite 2.20 and LiteRT 1.4 and later) no error: the variable
                      is made over memory as it was found; NaN, huge or plausible numbers,
                      different ones at each run. Inside IF and WHILE bodies: the error above
    TFLM              (TensorFlow Lite for Microcontrollers) no error: zeros

Example: `infer` of the model in tensorflow issue 98964 answers NaN for all 62 classes.

How it is fixed: with the initial values (TFR001).
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity


@check("TFR003", Severity.INFO)
def runtimes(context: AnalysisContext) -> Iterator[Found]:
    unset = [
        (entry, key, site)
        for entry in context.analysis.entries
        for key, site in entry.unset
        if key.kind == "builtin"
    ]
    if not unset:
        return
    entry, _, site = unset[0]
    inside = all(site.subgraph != entry.subgraph for entry, _, site in unset)
    garbage = (
        "the same error, because the reads are inside called subgraphs"
        if inside
        else "no error, but NaN or garbage that changes from run to run"
    )
    yield Found(
        "at run time: builtin kernels stop with `read_variable.cc:67 variable != nullptr was not "
        f"true` at node {site.operator}; with XNNPACK (the default of tf.lite 2.20 and LiteRT 1.4 "
        f"and later): {garbage}; microcontrollers (TFLM): zeros",
        location=location(site, entry.signatures[0] if entry.signatures else None),
    )
