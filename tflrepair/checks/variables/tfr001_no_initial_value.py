"""Variables without an initial value.

What: a signature reads these variables before anything sets them, the file holds no value for
them, and no order of calls makes that signature right.

Why it matters: the weights are not in the file. Nothing that reads them can give a right answer,
whatever the runtime. The usual cause is Keras 3: its export gives every variable a second copy
in the SavedModel, the checkpoint fills the copy, and the TensorFlow Lite converter looks for the
value of the first, finds none, and leaves it out without a word (tensorflow issue 98964).

On each runtime:

    see TFR003: builtin kernels stop with an error, XNNPACK answers NaN or garbage, TFLM zeros;
    a Flex variable stops with TensorFlow's own error (TFR028)

Example: a `tf.Module` that holds a Keras 3 model, saved with signatures and converted with
`experimental_enable_resource_variables=True`. A SavedModel of 30 MB became a file of 0.4 MB.

How it is fixed: `tflrepair fix MODEL --weights FILE` puts the values back, from the weights
file that the module loaded. In the source: track the inner variables before saving, with
`module.raw = [v.value for v in model.variables]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity
from tflrepair.wording import megabytes, plural, verb


@check("TFR001", Severity.ERROR)
def no_initial_value(context: AnalysisContext) -> Iterator[Found]:
    variables = [v for v in context.analysis.variables if v.status == VariableStatus.UNINITIALIZED]
    if not variables:
        return
    total = len(context.analysis.variables)
    size = sum(v.nbytes or 0 for v in variables)
    reads = ((site, v.name) for v in variables for site in v.read_by)
    first, name = min(reads, default=(None, variables[0].name))
    yield Found(
        f"{len(variables)} of {plural(total, 'variable')} "
        f"{verb(len(variables), 'has', 'have')} no initial value "
        f"({megabytes(size)} are missing): {names([v.name for v in variables])}",
        "put the values back: tflrepair fix MODEL --weights FILE",
        location(first, variable=name),
        variables=tuple(v.name for v in variables),
    )
