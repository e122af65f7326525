"""Bytes that the variables need against bytes in the file.

What: the sizes of all variables added up, beside the size of the whole file.

Why it matters: it is the quickest proof that weights are not in a file: 29.7 MB do not fit into
0.6 MB. The opposite proves nothing, since a file can hold other constants.

Example: 282 variables need 29.7 MB, the file has 0.6 MB in all.

How it is mended: with the initial values (TFR001); the file grows by what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.variables import INITIALIZED, UNREAD
from tflrepair.checks.base import INFO, Finding, Subject, megabytes

CODE = "TFR004"


def check(subject: Subject) -> Iterator[Finding]:
    variables = subject.analysis.variables
    if all(v.status in (INITIALIZED, UNREAD) for v in variables):
        return
    need = sum(v.nbytes or 0 for v in variables)
    if need > subject.model.size:
        yield Finding(
            CODE,
            INFO,
            f"the variables need {megabytes(need)}, but the whole file has "
            f"{megabytes(subject.model.size)}: the weights are not in it",
        )
