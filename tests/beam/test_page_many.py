"""The pipeline of docs/many.md, run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.runs
ROOT = Path(__file__).parents[2]


def test_the_pipeline_of_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "many.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    models = [str(path) for path in sorted((ROOT / "tests" / "data").glob("*.tflite"))]
    subprocess.run(
        [sys.executable, "-c", script, *models, "missing.tflite"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=300,
    )
    rows = [
        json.loads(line)
        for part in tmp_path.glob("rows-*")
        for line in part.read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(row["path"] for row in rows) == sorted([*models, "missing.tflite"])
    (tally,) = tmp_path.glob("tally-*")
    total = json.loads(tally.read_text(encoding="utf-8"))
    assert total["models"] == len(models) + 1 and total["unreadable"] == 1
