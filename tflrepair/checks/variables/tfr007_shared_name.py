"""One shared name for values of different type or shape.

What: a variable's identity is its (container, shared_name) alone. Here one identity is read or
assigned with types or shapes that do not fit each other.

Why it matters: two variables of the source became one in the file. Each overwrites the other.

On each runtime:

    LiteRT, tf.lite   the value assigned last decides. A read of another type stops with
                      `variable_tensor->type != output->type`; a read of a larger shape copies bytes
                      from behind the value (kernels/read_variable.cc)
    TFLM              checks the size in debug builds only, else copies what fits
                      (micro_resource_variable.cc)

Example: two layers built outside any name scope are both called `kernel`, one [4, 8], one [8, 3].

How it is fixed: it cannot be fixed in the file, which no longer says which value belongs to which
variable. Give the layers (or `tf.Variable`s) different names in the source and convert again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity


@check("TFR007", Severity.ERROR)
def shared_name(context: AnalysisContext) -> Iterator[Found]:
    for variable in context.analysis.variables:
        if variable.conflicts:
            kinds = [(variable.dtype, variable.shape), *variable.conflicts]
            shown = " and ".join(f"{dtype} {list(shape or ())}" for dtype, shape in kinds)
            yield Found(
                f"the shared name {variable.name!r} stands for different values: {shown}",
                "give the variables different names in the source and convert again",
                location(variable.created_by[0], variable=variable.name),
            )
