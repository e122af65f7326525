"""What a delegate may be off by: rounding of the size of an output's largest value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.compare import ATOL, RTOL
from tflrepair.execution.entries import run_targets
from tflrepair.execution.judge import JudgedInputs, Tolerance, judge
from tflrepair.execution.result import Run, RunStatus, Symptom
from tflrepair.execution.runner import Outcome, OutcomeStatus
from tflrepair.graph.model import load

# a large value, and a small one that is left where large terms cancel
WANT = np.array([1.0, 0.01], np.float32)


def judged(data: Path, off: float, rtol: float = RTOL) -> Run:
    """A run whose delegate is ``off`` at the small value."""
    entry = run_targets(AnalysisContext(load(data / "healthy.tflite")))[0]
    plain = Outcome(OutcomeStatus.OK, {"y": WANT}, "")
    first = replace(plain, outputs={"y": WANT + np.array([0, off], np.float32)})
    trial = JudgedInputs(
        inputs="random", first=first, second=first, plain=plain, other=None, expected={}
    )
    return judge(entry, "litert", "default", [trial], Tolerance(rtol, ATOL))


def test_rounding_is_no_problem(data: Path) -> None:
    run = judged(data, 5e-4)
    assert run.status == RunStatus.OK and run.comparisons[-1].max_rel == pytest.approx(0.05, 0.01)


def test_another_answer_is_one(data: Path) -> None:
    run = judged(data, 2e-3)
    assert [finding.code for finding in run.findings] == [Symptom.DELEGATES_DIFFER]


def test_who_asks_for_exact_answers_gets_them(data: Path) -> None:
    assert judged(data, 5e-4, rtol=1e-6).status == RunStatus.PROBLEM
