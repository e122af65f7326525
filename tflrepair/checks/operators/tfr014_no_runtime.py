"""Operators that no runtime runs by itself.

What: the file uses a builtin operator, or a version of one, that LiteRT 2.3 and TensorFlow 2.21
do not have (an error), or custom operators that neither has (a warning). A file that only lists
such an operator counts as well: interpreters look up the whole list.

Why it matters: an interpreter refuses to load the file ("Didn't find op for builtin opcode"), or
stops at the custom operator ("Encountered unresolved custom op") unless the program that runs it
has registered it.

Example: DISPATCH_OP, which stands for a part of the graph that was compiled for one accelerator;
edgetpu-custom-op; an operator of a newer converter.

How it is mended: for a custom operator, run the model where it is registered, such as with the
accelerator's delegate. For a builtin one, convert again with a converter as old as the runtime,
or update the runtime (and tflrepair, if the runtime has it).
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.checks.base import ERROR, WARNING, Finding, Subject, names
from tflrepair.format.schema import BuiltinOperator
from tflrepair.format.versions import VERSIONS

CODE = "TFR014"

# tflite/core/kernels/register.cc: what BuiltinOpResolver adds besides the builtin operators.
_CUSTOM = frozenset(
    {
        "NumericVerify",
        "Mfcc",
        "AudioSpectrogram",
        "TFLite_Detection_PostProcess",
        "aeq.hadamard_rotation",
    }
)


def check(subject: Subject) -> Iterator[Finding]:
    model = subject.model
    custom: dict[str, None] = {}
    for row in model.operator_codes:
        if row.code == BuiltinOperator.CUSTOM:
            if row.name not in _CUSTOM and not row.name.startswith("Flex"):
                custom[row.name] = None
            continue
        lowest, highest = VERSIONS.get(row.code, (1, 0))
        if lowest <= row.version <= highest:
            continue
        have = f"it has {lowest} to {highest}" if highest else "it has none"
        yield Finding(
            CODE,
            ERROR,
            f"no runtime loads this file: {row.name} version {row.version} is not in LiteRT "
            f"2.3 or TensorFlow 2.21 ({have})",
            "convert again with an older converter, or update the runtime and tflrepair",
        )
    if custom:
        yield Finding(
            CODE,
            WARNING,
            f"custom operators that neither LiteRT nor TensorFlow has: {names(list(custom), 8)}",
            "run it where they are registered, for instance with the accelerator's delegate",
        )
