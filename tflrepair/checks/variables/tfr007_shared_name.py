"""One shared name for values of different type or shape.

What: a variable's identity is its (container, shared_name) alone. Here one identity is read or
assigned with types or shapes that do not fit each other.

Why it matters: two variables of the source became one in the file. Each overwrites the other.

Example: two layers built outside any name scope are both called `kernel`, one [4, 8], one [8, 3].

How it is mended: not in the file, where it can no longer be told which is which. Give the layers
(or `tf.Variable`s) different names in the source and convert again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.checks.base import ERROR, Finding, Subject

CODE = "TFR007"


def check(subject: Subject) -> Iterator[Finding]:
    for variable in subject.analysis.variables:
        if variable.conflicts:
            kinds = [(variable.dtype, variable.shape), *variable.conflicts]
            shown = " and ".join(f"{dtype} {list(shape or ())}" for dtype, shape in kinds)
            yield Finding(
                CODE,
                ERROR,
                f"the shared name {variable.name!r} stands for different values: {shown}",
                "give the variables different names in the source and convert again",
                site=variable.created_by[0],
                variable=variable.name,
            )
