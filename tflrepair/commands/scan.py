"""Look at a model without running it: facts, variables, findings."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tflrepair.analysis.variables import Analysis, analyse
from tflrepair.checks import run_checks
from tflrepair.checks.base import ERROR, Finding, Subject
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import Model, load


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
    try:
        analysis = analyse(model)
        findings = run_checks(Subject(model, analysis))
    except TflRepairError as error:
        raise error.within(model.path) if model.path else error from None
    return ScanResult(model, analysis, findings)
