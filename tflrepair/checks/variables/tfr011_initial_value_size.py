"""An initial value does not have the size of its variable.

What: the constant that an initializer assigns has fewer or more bytes than its type and shape
need.

Why it matters: runtimes refuse the file, or read beyond the constant.

Example: a file that was cut and padded, or edited by hand.

How it is mended: fetch or convert the file again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.checks.base import ERROR, Finding, Subject
from tflrepair.format.types import byte_size

CODE = "TFR011"


def check(subject: Subject) -> Iterator[Finding]:
    model = subject.model
    for variable in subject.analysis.variables:
        initial = variable.initial
        if initial is None:
            continue
        tensor = model.subgraph(initial.target).tensor(initial.tensor)
        need = byte_size(tensor.dtype, tensor.shape)
        have = model.buffers[initial.buffer].length
        if need is not None and need != have:
            yield Finding(
                CODE,
                ERROR,
                f"the initial value of {variable.name!r} has {have} bytes; {tensor.dtype} "
                f"{list(tensor.shape)} needs {need}",
                "fetch or convert the file again",
                site=initial.site,
                variable=variable.name,
            )
