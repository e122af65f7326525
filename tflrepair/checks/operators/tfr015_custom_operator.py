"""Custom operators that no runtime has by itself.

What: operators of a name that neither LiteRT nor TensorFlow registers.

Why it matters: an interpreter stops there ("Encountered unresolved custom op"), unless the
program that runs the model has registered the operator or a delegate takes it.

On each runtime:

    LiteRT, tf.lite   `Encountered unresolved custom op: NAME` when tensors are allocated
    TFLM              `Failed to get registration from op code CUSTOM`, unless the resolver got it
                      by AddCustom

Example: DISPATCH_OP, which stands for a part of the graph that was compiled for one accelerator;
edgetpu-custom-op; operators of MediaPipe.

How it is fixed: run the model where the operators are registered, for instance with the
accelerator's delegate, or convert it again for the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check, first_use, names
from tflrepair.findings import Severity
from tflrepair.format.schema import BuiltinOperator

# tflite/core/kernels/register.cc: what BuiltinOpResolver adds besides the builtin operators.
_REGISTERED = frozenset(
    {
        "NumericVerify",
        "Mfcc",
        "AudioSpectrogram",
        "TFLite_Detection_PostProcess",
        "aeq.hadamard_rotation",
    }
)


@check("TFR015", Severity.WARNING, Needs.TABLES)
def custom_operator(context: AnalysisContext) -> Iterator[Found]:
    found = {
        index: row.name
        for index, row in enumerate(context.model.operator_codes)
        if row.code == BuiltinOperator.CUSTOM
        and row.name not in _REGISTERED
        and not row.name.startswith("Flex")
    }
    if found:
        yield Found(
            f"custom operators that neither LiteRT nor TensorFlow has: "
            f"{names(list(dict.fromkeys(found.values())), 8)}",
            "run it where they are registered, for instance with the accelerator's delegate",
            first_use(context, found),
        )
