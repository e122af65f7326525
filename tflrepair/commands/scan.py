"""Look at a model without running it: facts, variables, findings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import Analysis
from tflrepair.checks.registry import choose, run_checks
from tflrepair.errors import TflRepairError
from tflrepair.findings import Finding
from tflrepair.graph.model import Model, load
from tflrepair.structure.verify import Verdict

# Rules about what the analysis follows: required fields, indices, operands, circles of calls.
_FOLLOWED = frozenset(("TFR109", "TFR110", "TFR119", "TFR120"))


@dataclass(frozen=True)
class ScanResult:
    """What a scan found. ``ok`` is false if any finding is an error."""

    context: AnalysisContext
    findings: tuple[Finding, ...]

    @property
    def model(self) -> Model:
        return self.context.model

    @property
    def analysis(self) -> Analysis:
        return self.context.analysis

    @property
    def ok(self) -> bool:
        return not any(finding.is_problem for finding in self.findings)


def scan(
    model: AnalysisContext | Model | str | os.PathLike[str],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> ScanResult:
    """Read every table of a model, follow its variables, and run all checks.

    Weights are not read: the cost depends on the graph, not on the size of the file.

    Args:
        select: only checks whose code begins with one of these (``TFR001``, ``TFR1``).
        ignore: no check whose code begins with one of these.

    Raises:
        BadFileError: the file is truncated, corrupt or no .tflite file.
        UnsupportedError: subgraph calls nested deeper than runtimes could follow.
        UserError: no check has such a code.
    """
    checks = choose(select, ignore)
    context = context_of(model)
    _ = context.analysis
    try:
        return ScanResult(context, run_checks(context, checks))
    except TflRepairError as error:
        raise context.named(error) from None


def scan_what_is_left(path: str | os.PathLike[str], verdict: Verdict) -> ScanResult | None:
    """The scan of a model that contradicts itself, as far as that does not matter to a scan.

    None if its tables, indices or calls are wrong, so that there is nothing to follow.
    """
    if not verdict.readable or not _FOLLOWED.isdisjoint(row.code for row in verdict.faults):
        return None
    try:
        return scan(replace(load(path), salvaged=True))
    except TflRepairError:
        return None


def context_of(model: AnalysisContext | Model | str | os.PathLike[str]) -> AnalysisContext:
    """The context of a model, a new one unless it is one. Raises as ``load``."""
    if isinstance(model, AnalysisContext):
        return model
    return AnalysisContext(model if isinstance(model, Model) else load(model))
