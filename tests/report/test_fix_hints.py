"""scan --fix-hints: each kind of finding once, the worst first, with commands to paste."""

from __future__ import annotations

import json

import pytest
import warm
from conftest import DATA, ROOT

from tflrepair.commands.scan import scan
from tflrepair.report import fix_hints
from tflrepair.report.style import Style

MODEL = DATA / "checkpoint.tflite"


def test_each_kind_once_and_the_worst_first() -> None:
    told = fix_hints.to_dict(scan(MODEL))
    assert list(told) == ["TFR002", "TFR005", "TFR029", "TFR003", "TFR026"]
    assert f"`tflrepair fix {MODEL} --weights FILE`" in told["TFR029"]
    assert "MODEL" not in " ".join(told.values()).replace(str(MODEL), "")


def test_nothing_to_fix_says_nothing() -> None:
    assert list(fix_hints.lines(scan(DATA / "healthy.tflite"), Style(), 80)) == []


def test_lines_fit() -> None:
    rows = list(fix_hints.lines(scan(DATA / "twice.tflite"), Style(), 80))
    assert rows[0] == "How to fix it"
    assert rows[1].startswith("  TFR027  read outputs by signature.")
    assert all(len(row) <= 80 for row in rows)


@pytest.mark.runs
@pytest.mark.parametrize("form", ["text", "json", "md"])
def test_the_command(form: str) -> None:
    command = ["scan", "tests/data/twice.tflite", "--fix-hints", "--format", form]
    done = warm.command_line(*command, cwd=ROOT)
    assert done.returncode == 0
    if form == "json":
        assert list(json.loads(done.stdout)["results"][0]["fix_hints"]) == ["TFR027"]
    else:
        assert "read outputs by signature" in done.stdout
