"""What is saved is not all restored.

What: a Save operator writes variables that no Restore operator reads back.

Why it matters: after a restart of the application they are at their initial values, while the rest
is as it was trained. Nothing fails.

On each runtime:

    tf.lite with Flex   nothing fails; what is not restored has its initial value
    LiteRT 2, TFLM      have no Flex delegate, so that save and restore do not run at all

Example: `save` writes the model's weights and the optimizer's, `restore` reads the weights.

How it is fixed: in the source: restore the same list of variables that is saved.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity
from tflrepair.wording import plural, verb


@check("TFR018", Severity.WARNING)
def restore_lacks(context: AnalysisContext) -> Iterator[Found]:
    rows = context.checkpoints
    if not any(row.saves for row in rows) or all(row.saves for row in rows):
        return
    restored = {key for row in rows if not row.saves for key in row.keys}
    if None in restored:
        return  # it cannot be told what that one restores
    for row in rows:
        left = [key.shared_name for key in row.keys if key is not None and key not in restored]
        if row.saves and left:
            yield Found(
                f"{plural(len(left), 'variable')} {verb(len(left), 'is', 'are')} saved "
                f"but never restored: {names(left)}",
                "restore in the source what is saved, and convert again",
                location(row.site, variable=left[0]),
            )
