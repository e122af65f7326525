"""An operator takes one read of a variable as both inputs: XNNPACK crashes on it.

What: ADD, SUB, MUL, DIV, MINIMUM, MAXIMUM or SQUARED_DIFFERENCE of float32 whose two inputs are one
and the same output of READ_VARIABLE.

Why it matters: the default delegate of LiteRT 2.3 and of tf.lite 2.21 reads through a null pointer
there, and the process dies of SIGSEGV. Measured with each of the seven operators; two reads of the
variable, another operator in between, other types, and the builtin kernels are all fine.

On each runtime:

    LiteRT 2.3, tf.lite 2.21   SIGSEGV with XNNPACK, the default delegate
    without the delegate       right
    TFLM                       has no XNNPACK

Example: the sum of squares of a kernel, written as `kernel * kernel`.

How it is fixed: `--freeze` makes a constant of the variable if nothing assigns it. In the source:
`tf.square(kernel)`, which is one operator. Or run it without the default delegate.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.format import schema
from tflrepair.wording import grouped

CODE = "TFR031"
_OP = schema.BuiltinOperator
_OPERATORS = (
    _OP.ADD, _OP.SUB, _OP.MUL, _OP.DIV, _OP.MINIMUM, _OP.MAXIMUM, _OP.SQUARED_DIFFERENCE,
)  # fmt: skip


@check(CODE, Severity.WARNING, Needs.TABLES)
def same_variable_twice(context: AnalysisContext) -> Iterator[Found]:
    for subgraph in context.model.subgraphs:
        read = {
            operator.outputs[0]
            for operator in subgraph.operators
            if operator.code == _OP.READ_VARIABLE
        }
        twice = [
            operator
            for operator in (subgraph.operators if read else ())
            if operator.code in _OPERATORS
            and operator.inputs[0] == operator.inputs[1]
            and operator.inputs[0] in read
            and subgraph.tensor(operator.inputs[0]).dtype == "float32"
        ]
        if twice:
            more = f", and {grouped(len(twice) - 1)} more" if len(twice) > 1 else ""
            yield Found(
                f"{twice[0].name} takes one read of a variable as both inputs{more}: "
                "LiteRT's default delegate (XNNPACK) dies of SIGSEGV there",
                "make constants of variables with --freeze, use SQUARE or read the variable twice "
                "in the source, or run it without the default delegate",
                Location(subgraph=subgraph.index, operator=twice[0].index),
            )
