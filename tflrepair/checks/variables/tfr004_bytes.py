"""Bytes that the variables need against bytes in the file.

What: the sizes of all variables added up, beside the size of the whole file.

Why it matters: it is the quickest proof that weights are not in a file: 29.7 MB do not fit into
0.6 MB. The opposite proves nothing, since a file can hold other constants.

On each runtime:

    the same on all: they can load no more than is in the file; TFR003 tells what they do instead

Example: 282 variables need 29.7 MB, the file has 0.6 MB in all.

How it is fixed: with the initial values (TFR001); the file grows by what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.checks.base import Found, check
from tflrepair.findings import Severity
from tflrepair.wording import megabytes


@check("TFR004", Severity.INFO)
def bytes(context: AnalysisContext) -> Iterator[Found]:
    variables = context.analysis.variables
    if all(v.status in (VariableStatus.INITIALIZED, VariableStatus.UNREAD) for v in variables):
        return
    need = sum(v.nbytes or 0 for v in variables)
    if need > context.model.size:
        yield Found(
            f"the variables need {megabytes(need)}, but the whole file has "
            f"{megabytes(context.model.size)}: the weights are not in it",
        )
