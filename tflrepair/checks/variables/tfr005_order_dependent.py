"""Variables that are right only if signatures are called in a certain order.

What: a signature reads them unset, but other signatures can run first and set all that it needs.

Why it matters: the model works in the test that calls `restore` first, and fails on the device
where somebody calls `infer` first.

On each runtime:

    LiteRT, tf.lite   right once the setting signature has run in the same interpreter; before that
                      see TFR003. A second interpreter has variables of its own
    TFLM              runs subgraph 0 only, so that no other signature can come first: zeros

Example: `infer` reads `dense/kernel`, which has no initial value; `restore` sets it.

How it is fixed: always call the setting signature first, or give the variables initial values:
`tflrepair fix MODEL --weights FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Variable
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity


@check("TFR005", Severity.ERROR)
def order_dependent(context: AnalysisContext) -> Iterator[Found]:
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Variable]] = {}
    for variable in context.analysis.variables:
        if variable.status == VariableStatus.ORDER_DEPENDENT:
            groups.setdefault((variable.unset_in, variable.set_by), []).append(variable)
    for (readers, setters), variables in groups.items():
        verb = "reads" if len(readers) == 1 else "read"
        yield Found(
            f"{_list(readers)} {verb} {names([v.name for v in variables])} unset unless "
            f"{_list(setters, 'or')} has run before",
            f"call {_list(setters, 'or')} first, or put initial values into the file: "
            "tflrepair fix MODEL --weights FILE",
            location=location(
                variables[0].read_by[0], signature=readers[0], variable=variables[0].name
            ),
            variables=tuple(v.name for v in variables),
        )


def _list(labels: tuple[str, ...], word: str = "and") -> str:
    quoted = [f"`{label}`" for label in labels]
    return f" {word} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
