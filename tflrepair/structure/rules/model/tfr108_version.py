"""The version is not 3.

What: Model.version, which says what the tables mean, is not 3.

Why it matters: every runtime refuses other versions ("Model provided is schema version N not
equal to supported version 3").

Example: a damaged first table; a file of 2017 with version 0 to 2.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.structure.subject import Subject

CODE = "TFR108"
SUPPORTED = 3


def check(subject: Subject) -> None:
    rows = subject.of("Model")
    version = rows.column("version")[0]
    if version != SUPPORTED and not rows.broken:
        subject.fault(CODE, rows, 0, "version", f"the schema version is {version}, not {SUPPORTED}")
