"""The examples of CONTRIBUTING.md, put into a copy of this repository, do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"`([\w/]+\.py)`([^\n]*):\n\n```python\n(.*?)```", re.DOTALL)


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def copy(folder: Path) -> None:
    """This repository without what is made: the package, its tests and settings."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("tflrepair", "tests", "schema"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, folder / name)


def put(folder: Path, title: str) -> list[str]:
    """Put the examples of one section where each says that it belongs; the files' names."""
    found = EXAMPLE.findall(section(title))
    assert len(found) > 1
    for name, where, code in found:
        path = folder / name
        if not where:
            assert not path.exists()
            path.parent.mkdir(exist_ok=True)
            path.write_text(code, encoding="utf-8")
            continue
        text = path.read_text(encoding="utf-8")
        if "`binary()`" in where:
            text = text.replace("\n\n\ndef reduce", f"\n{code}\n\ndef reduce")
        elif "beside the other formats" in where:
            text = text.replace("    if sharded.looks_like", f"{code}    if sharded.looks_like")
            text = text.replace("    npz,\n", "    npy,\n    npz,\n")
        else:
            text = f"{text}\n\n{code}"
        assert code in text
        path.write_text(text, encoding="utf-8")
    return [name for name, _, _ in found]


def passes(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.runs
@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "tests"),
    [
        ("A check", ["tests/checks", "-k", "without_a_name or healthy or explains"]),
        ("A reader of weights", ["tests/weights/test_npy.py"]),
        pytest.param(
            "An operator of the rebuild",
            ["tests/rebuild/operators/test_operators.py", "-k", "STABLEHLO_MULTIPLY and not again"],
            marks=pytest.mark.tf,
        ),
        ("A pass", ["tests/passes/test_describe.py"]),
        ("A runtime", ["tests/execution/test_reference_kernels.py"]),
    ],
)
def test_the_example_works(title: str, tests: list[str], tmp_path: Path) -> None:
    copy(tmp_path)
    files = put(tmp_path, title)
    passes(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    passes(tmp_path, "-m", "ruff", "check", "--no-cache", *files)
    passes(tmp_path, "-m", "ruff", "format", "--no-cache", "--check", *files)
