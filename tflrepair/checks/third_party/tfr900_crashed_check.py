"""A check of another package crashed.

What: a package that is installed here adds checks (entry point group `tflrepair.checks`), and
one of them could not be loaded or raised an error.

Why it matters: what that check looks for was not looked for. All other findings stand.

Example: a check that was written for another version of tflrepair.

How it is fixed: update or remove the package that is named, or leave the message out with
`--ignore TFR900`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Severity


@check("TFR900", Severity.WARNING, Needs.TABLES)
def crashed_check(context: AnalysisContext) -> Iterator[Found]:
    """Nothing of its own: the registry reports what crashed while the others ran."""
    return iter(())
