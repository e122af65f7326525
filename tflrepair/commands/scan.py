"""Look at a model without running it: facts, variables, findings."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tflrepair.analysis.variables import Analysis, analyse
from tflrepair.checks import run_checks
from tflrepair.checks.base import ERROR, Finding, Subject
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import Model, load
from tflrepair.structure.verify import Verdict

# Rules about what the analysis follows: required fields, indices, operands, circles of calls.
_FOLLOWED = frozenset(("TFR109", "TFR110", "TFR119", "TFR120"))


@dataclass(frozen=True)
class ScanResult:
    """What a scan found. ``ok`` is false if any finding is an error."""

    model: Model
    analysis: Analysis
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.severity == ERROR for finding in self.findings)


def scan(model: Model | str | os.PathLike[str]) -> ScanResult:
    """Read every table of a model, follow its variables, and run all checks.

    Weights are not read: the cost depends on the graph, not on the size of the file.

    Raises:
        BadFileError: the file is truncated, corrupt or no .tflite file.
        UnsupportedError: subgraph calls nested deeper than runtimes could follow.
    """
    if not isinstance(model, Model):
        model = load(model)
    model.walk()
    return _scan(model)


def scan_what_is_left(path: str | os.PathLike[str], verdict: Verdict) -> ScanResult | None:
    """The scan of a model that contradicts itself, as far as that does not matter to a scan.

    None if its tables, indices or calls are wrong, so that there is nothing to follow.
    """
    if not verdict.readable or not _FOLLOWED.isdisjoint(fault.code for fault in verdict.faults):
        return None
    try:
        return _scan(load(path))
    except TflRepairError:
        return None


def _scan(model: Model) -> ScanResult:
    try:
        analysis = analyse(model)
        findings = run_checks(Subject(model, analysis))
    except TflRepairError as error:
        raise error.within(model.path) if model.path else error from None
    return ScanResult(model, analysis, findings)
