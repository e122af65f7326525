"""A builtin operator that no runtime has.

What: the file uses a builtin operator, or a version of one, that neither LiteRT 2.3 nor
TensorFlow 2.21 has. A file that only lists such an operator counts as well: interpreters look up
the whole list.

Why it matters: an interpreter refuses to load the file ("Didn't find op for builtin opcode").

On each runtime:

    LiteRT, tf.lite   `Didn't find op for builtin opcode 'ADD' version '9'` when it is loaded
    TFLM              looks for the operator, not for its version (micro_op_resolver.cc): refuses
                      unknown operators, and runs unknown versions with the kernel that it has

Example: ADD version 9; STABLEHLO_CONVOLUTION, which only exists between two converters: it is what
`EXPERIMENTAL_STABLEHLO_OPS` writes.

How it is fixed: convert again with a converter as old as the runtime and with `supported_ops =
[tf.lite.OpsSet.TFLITE_BUILTINS]`, or update the runtime (and tflrepair, if the runtime has the
operator).
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check, first_use
from tflrepair.findings import Severity
from tflrepair.format.schema import BuiltinOperator
from tflrepair.format.versions import VERSIONS


@check("TFR014", Severity.ERROR, Needs.TABLES)
def no_runtime(context: AnalysisContext) -> Iterator[Found]:
    for index, row in enumerate(context.model.operator_codes):
        lowest, highest = VERSIONS.get(row.code, (1, 0))
        if row.code == BuiltinOperator.CUSTOM or lowest <= row.version <= highest:
            continue
        have = f"they have {lowest} to {highest}" if highest else "they have none"
        yield Found(
            f"no runtime loads this file: {row.name} version {row.version} is not in LiteRT "
            f"2.3 or TensorFlow 2.21 ({have})",
            "convert again with an older converter, or update the runtime and tflrepair",
            first_use(context, {index}),
        )
