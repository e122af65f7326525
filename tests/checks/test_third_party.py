"""Checks that other packages bring: they are found by entry point, and may crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT

pytestmark = pytest.mark.runs

RULE = '''"""Subgraphs must be named in capitals.

What: one is not.  Why it matters: to nobody.  Example: any.  How it is fixed: rename it.
"""

from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Severity


@check("XYZ001", Severity.WARNING, Needs.TABLES)
def capitals(context):
    for subgraph in context.model.subgraphs:
        BODY
'''


def scan(folder: Path, body: str, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """The findings of a scan with a package installed whose check has ``body``."""
    (folder / "house_rules.py").write_text(RULE.replace("BODY", body))
    facts = folder / "house_rules-1.0.dist-info"
    facts.mkdir(exist_ok=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: house-rules\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[tflrepair.checks]\nrules = house_rules\n")
    command = [sys.executable, "-m", "tflrepair", "scan", str(DATA / "healthy.tflite")]
    path = os.pathsep.join((str(folder), str(ROOT)))
    done = subprocess.run(
        [*command, "--format", "json", *options],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)["results"][0]["findings"], done.stderr


def test_it_is_found_chosen_and_left_out(tmp_path: Path) -> None:
    say = "yield Found(f'{subgraph.name} is not in capitals')"
    code, findings, _ = scan(tmp_path, say)
    assert code == 0
    assert {row["code"] for row in findings} == {"XYZ001"}
    assert "infer is not in capitals" in {row["message"] for row in findings}
    assert scan(tmp_path, say, "--select", "XYZ")[1] == findings
    assert scan(tmp_path, say, "--ignore", "XYZ001")[1] == []


def test_its_crash_is_a_finding(tmp_path: Path) -> None:
    code, findings, errors = scan(tmp_path, "1 / 0")
    assert (code, errors) == (0, "")
    (row,) = findings
    assert (row["code"], row["severity"]) == ("TFR900", "warning")
    assert "XYZ001 of house_rules crashed: ZeroDivisionError" in row["message"]


def test_a_package_that_does_not_import_is_a_finding(tmp_path: Path) -> None:
    _, findings, errors = scan(tmp_path, "pass\nimport nothing_of_the_kind")
    assert errors == ""
    assert [row["code"] for row in findings] == ["TFR900"]
    assert "cannot be loaded" in findings[0]["message"]
