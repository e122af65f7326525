"""``make bench-check`` fails for what has become slower, and for nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks" / "speed"))

from bench import behind, line
from bench_read import Row


def row(ratio: float, peer: str = "0.2 s", name: str = "scan / bare") -> Row:
    return Row(name, "0.3 s", peer, ratio, "<= 1.5", ratio <= 1.5)


@pytest.mark.parametrize(("ratio", "late"), [(1.0, []), (2.59, []), (2.61, ["scan / bare"])])
def test_thirty_percent_behind_the_record(ratio: float, late: list[str]) -> None:
    assert behind([row(ratio)], {"scan / bare": 2.0}) == late


def test_what_has_no_record_or_no_peer_is_not_behind() -> None:
    assert behind([row(9.0)], {"other": 1.0}) == []
    assert behind([row(9.0, peer="")], {"scan": 1.0}) == []


def test_figures_that_only_stand_side_by_side_are_no_ratio() -> None:
    assert behind([row(9.0, name="scan, memory")], {"scan, memory": 1.0}) == []


def test_a_target_that_is_missed_is_named() -> None:
    assert line(row(1.4)) == "| scan / bare | 0.3 s | 0.2 s | 1.400 | <= 1.5 | met |"
    assert line(row(1.6)).endswith("| missed |")
