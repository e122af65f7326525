"""A type or operator that does not exist.

What: the number of a tensor type is in no version of the schema, or the number of a builtin
operator is negative or 127 (a placeholder, never an operator). An operator above the last one
known may just be newer than this release; TFR014 speaks of those.

Why it matters: runtimes refuse the file ("Unsupported data type", "Op builtin_code out of
range").

Example: one damaged byte in `Tensor.type`.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.structure.subject import Subject

CODE = "TFR111"
_PLACEHOLDER = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


def check(subject: Subject) -> None:
    for table in ("Tensor", "VariantSubType"):
        rows = subject.of(table)
        column = rows.column("type")
        if not schema.TENSOR_TYPE_NAMES.keys() >= set(column):
            for row, kind in enumerate(column):
                if kind not in schema.TENSOR_TYPE_NAMES:
                    subject.fault(CODE, rows, row, "type", f"there is no tensor type {kind}")
    rows = subject.of("OperatorCode")
    newer, older = rows.column("builtin_code"), rows.column("deprecated_builtin_code")
    for row in range(len(rows)):
        code = max(newer[row], older[row])
        if code < 0 or code == _PLACEHOLDER:
            subject.fault(CODE, rows, row, "builtin_code", f"there is no builtin operator {code}")
