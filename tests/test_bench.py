"""``make bench-check`` fails for what has become slower, and for nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks" / "speed"))

from bench import behind, line, missed
from bench_cases import Row, Target
from bench_measure import Cost


def row(ratio: float, target: Target | None = None) -> Row:
    return Row("scan", Cost(0.3, 0.2, 50), "bare app", 0.2, ratio, target or Target())


@pytest.mark.parametrize(("ratio", "late"), [(1.0, []), (2.59, []), (2.61, ["scan"])])
def test_thirty_percent_behind_the_record(ratio: float, late: list[str]) -> None:
    assert behind([row(ratio)], {"scan": 2.0}) == late


def test_a_case_that_was_never_recorded_is_not_behind() -> None:
    assert behind([row(9.0)], {"other": 1.0}) == []


def test_each_target_that_is_missed_is_named() -> None:
    assert missed(row(1.4, Target(1.5, 0.4, 60))) == []
    assert missed(row(1.6, Target(1.5, 0.2, 40))) == [
        "ratio missed",
        "time missed",
        "memory missed",
    ]
    assert line(row(1.6, Target(1.5))).endswith("| 1.60 x | 1.5 x | 50 |  | ratio missed |")
