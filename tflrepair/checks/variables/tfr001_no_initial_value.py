"""Variables without an initial value.

What: a signature reads these variables before anything sets them, the file holds no value for
them, and no order of calls makes that signature right.

Why it matters: the weights are not in the file. Nothing that reads them can answer right,
whatever the runtime. The usual cause is Keras 3: its export gives every variable a second copy
in the SavedModel, the checkpoint fills the copy, and the TensorFlow Lite converter looks for the
value of the first, finds none, and leaves it out without a word (tensorflow issue 98964).

Example: a `tf.Module` that holds a Keras 3 model, saved with signatures and converted with
`experimental_enable_resource_variables=True`. A SavedModel of 30 MB became a file of 0.4 MB.

How it is mended: `tflrepair fix MODEL --weights FILE` puts the values back, from the weights
file that the module loaded. In the source: track the inner variables before saving, with
`module.raw = [v.value for v in model.variables]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.variables import UNINITIALIZED
from tflrepair.checks.base import ERROR, Finding, Subject, megabytes, names

CODE = "TFR001"


def check(subject: Subject) -> Iterator[Finding]:
    variables = [v for v in subject.analysis.variables if v.status == UNINITIALIZED]
    if not variables:
        return
    total = len(subject.analysis.variables)
    size = sum(v.nbytes or 0 for v in variables)
    yield Finding(
        CODE,
        ERROR,
        f"{len(variables)} of {total} variables have no initial value "
        f"({megabytes(size)} are missing): {names([v.name for v in variables])}",
        "put the values back: tflrepair fix MODEL --weights FILE",
    )
