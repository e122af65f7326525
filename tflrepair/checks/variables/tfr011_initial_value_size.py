"""An initial value does not have the size of its variable.

What: the constant that an initializer assigns has fewer or more bytes than its type and shape
need.

Why it matters: runtimes refuse the file, or read beyond the constant.

On each runtime:

    LiteRT, tf.lite   too few bytes: refused when the model is loaded, with `required_bytes <= bytes
                      was not true` (core/subgraph.cc); surplus bytes are ignored
    TFLM              does not compare (micro_allocator.cc): reads what stands behind the constant

Example: a file that was cut and padded, or edited by hand.

How it is fixed: fetch or convert the file again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity
from tflrepair.format.types import byte_size
from tflrepair.wording import plural


@check("TFR011", Severity.ERROR)
def initial_value_size(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    for variable in context.analysis.variables:
        initial = variable.initial
        if initial is None:
            continue
        tensor = model.subgraph(initial.target).tensor(initial.tensor)
        need = byte_size(tensor.dtype, tensor.shape)
        have = model.buffers[initial.buffer].length
        if need is not None and need != have:
            yield Found(
                f"the initial value of {variable.name!r} has {plural(have, 'byte')}; "
                f"{tensor.dtype} "
                f"{list(tensor.shape)} needs {need}",
                "fetch or convert the file again",
                location(initial.site, variable=variable.name),
            )
