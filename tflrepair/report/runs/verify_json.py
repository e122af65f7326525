"""A verification report for machines."""

from __future__ import annotations

import math

from tflrepair.execution.result import Run, Symptom, VerifyReport
from tflrepair.report.contract.verify import ComparisonItem, RunItem, SymptomItem, VerifyItem


def item(report: VerifyReport) -> VerifyItem:
    return {
        "ok": report.ok,
        "model": report.model,
        "against": report.against,
        "python": report.python,
        "tolerance": {"rtol": report.rtol, "atol": report.atol},
        "checked": list(report.checked),
        "unchecked": [
            {"signature": row.signature, "reason": row.reason, "hint": row.hint}
            for row in report.unchecked
        ],
        "runs": [_run(run) for run in report.runs],
    }


def _run(run: Run) -> RunItem:
    return {
        "signature": run.signature,
        "runtime": run.runtime,
        "delegate": run.delegate,
        "status": run.status,
        "reason": run.reason or None,
        "findings": [
            SymptomItem(kind=Symptom(row.code), inputs=row.inputs, message=row.message)
            for row in run.findings
        ],
        "comparisons": [
            ComparisonItem(
                to=row.to,
                inputs=row.inputs,
                output=row.output,
                within=row.within,
                max_abs=_number(row.max_abs),
                max_rel=_number(row.max_rel),
            )
            for row in run.comparisons
        ],
    }


def _number(value: float | None) -> float | None:
    """JSON has no infinity: null."""
    return value if value is not None and math.isfinite(value) else None
