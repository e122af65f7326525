"""What is trained is not all saved.

What: the model has a Save operator, and a signature assigns variables that it does not write.

Why it matters: after a restart these start over. For weights the training is lost; for the state of
an optimizer (Adam's momentum, the step) training goes on worse than it was.

On each runtime:

    tf.lite with Flex   nothing fails; what is not saved has its initial value after a restart
    LiteRT 2, TFLM      have no Flex delegate, so that save and restore do not run at all

Example: `save` writes `model.trainable_variables`, and `train` updates BatchNormalization's moving
averages and Adam's slots as well.

How it is fixed: in the source: save `model.variables + optimizer.variables`, by `v.path`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity
from tflrepair.wording import plural, verb


@check("TFR019", Severity.WARNING)
def trained_not_saved(context: AnalysisContext) -> Iterator[Found]:
    saved = {key for row in context.checkpoints if row.saves for key in row.keys}
    if not saved or None in saved:
        return
    restored = {row.site.subgraph for row in context.checkpoints if not row.saves}
    apart = restored | set(context.analysis.initializers)
    left = []
    first = None
    for variable in context.analysis.variables:
        trained = [s for s in variable.assigned_by if s.subgraph not in apart]
        if trained and variable.key not in saved:
            left.append(variable.name)
            first = first or trained[0]
    if left:
        yield Found(
            f"{plural(len(left), 'variable')} {verb(len(left), 'is', 'are')} assigned but not "
            f"saved: {names(left)}",
            "save `model.variables + optimizer.variables` in the source, and convert again",
            location(first, variable=left[0]),
        )
