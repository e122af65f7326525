"""Variables that are right only if signatures are called in a certain order.

What: a signature reads them unset, but other signatures can run first and set all that it needs.

Why it matters: the model works in the test that calls `restore` first, and fails on the device
where somebody calls `infer` first.

Example: `infer` reads `dense/kernel`, which has no initial value; `restore` sets it.

How it is mended: always call the setting signature first, or give the variables initial values:
`tflrepair fix MODEL --weights FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.variables import ORDER_DEPENDENT, Variable
from tflrepair.checks.base import ERROR, Finding, Subject, names

CODE = "TFR005"


def check(subject: Subject) -> Iterator[Finding]:
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Variable]] = {}
    for variable in subject.analysis.variables:
        if variable.status == ORDER_DEPENDENT:
            groups.setdefault((variable.unset_in, variable.set_by), []).append(variable)
    for (readers, setters), variables in groups.items():
        verb = "reads" if len(readers) == 1 else "read"
        yield Finding(
            CODE,
            ERROR,
            f"{_list(readers)} {verb} {names([v.name for v in variables])} unset unless "
            f"{_list(setters, 'or')} has run before",
            f"call {_list(setters, 'or')} first, or put initial values into the file: "
            "tflrepair fix MODEL --weights FILE",
            signature=readers[0],
            site=variables[0].read_by[0],
            variable=variables[0].name,
        )


def _list(labels: tuple[str, ...], word: str = "and") -> str:
    quoted = [f"`{label}`" for label in labels]
    return f" {word} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
