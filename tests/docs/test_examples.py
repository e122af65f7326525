"""The scripts that the site shows do what its pages say; all of them in one child process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = [pytest.mark.tf, pytest.mark.slow]

EXAMPLES = ROOT / "docs" / "examples"
RUN_ALL = """
import contextlib, io, json, runpy, sys
sys.path.insert(0, sys.argv[1])
printed = {}
for line in sys.argv[2:]:
    name, *arguments = line.split()
    sys.argv[1:] = arguments
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(f"{sys.path[0]}/{name}.py", run_name="__main__")
    printed[name] = out.getvalue()
print(json.dumps(printed))
"""
SCRIPTS = [
    "lost lost.tflite",
    "workarounds",
    "keras_patch",
    "recipe_keras3",
    "recipe_federated",  # works on what recipe_keras3 wrote
    "recipe_microcontrollers",
    "recipe_streaming",
    "recipe_tables",
    "recipe_kv_cache",
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each script prints."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, str(EXAMPLES), *SCRIPTS],
        cwd=tmp_path_factory.mktemp("examples"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_script_is_run_and_shown() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {line.split()[0] for line in SCRIPTS}
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    assert all(f"examples/{name}.py" in pages for name in names)


def test_the_table_of_workarounds_is_what_they_give(printed: dict[str, str]) -> None:
    table = [line for line in page("workarounds.md").splitlines() if line.startswith("| ")]
    rows = [line for line in printed["workarounds"].splitlines() if line.startswith("| ")]
    assert len(rows) == 11
    assert rows == table


def test_the_reproducer_loses_the_weights(printed: dict[str, str]) -> None:
    weights, file = (int(number) for number in re.findall(r"\d+", printed["lost"])[:2])
    assert file < weights / 10
    assert f"{weights:,} bytes" in page("defect.md")


def test_the_patch_for_keras_keeps_them(printed: dict[str, str]) -> None:
    before, after = printed["keras_patch"].splitlines()
    sizes = [int(re.findall(r"\d+", line)[0]) for line in (before, after)]
    assert sizes[0] < 4_000 < 33_796 < sizes[1]
    assert ".tflite off by 0," not in before
    assert after.endswith(".tflite off by 0, SavedModel by 0")


def test_recipes(printed: dict[str, str]) -> None:
    first, last = re.findall(r"\d+\.\d+", printed["recipe_keras3"])
    assert float(last) < float(first) / 2
    assert "variables set: 13" in printed["recipe_federated"]
    assert int(re.findall(r"right: (\d+)%", printed["recipe_federated"])[0]) > 60
    assert printed["recipe_microcontrollers"] == "fine\n"
    assert printed["recipe_streaming"] == "remembers: True\nforgets: True\n"
    assert printed["recipe_tables"] == "fine: True\n"
    assert float(printed["recipe_kv_cache"].split()[-1]) < 1e-5


def test_no_page_names_a_file_that_is_not_there() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:\s]+)\)", text):
            assert (path.parent / Path(link)).exists(), f"{path}: {link}"


def test_the_program_of_the_readme_has_types(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"```python\n(import tflrepair\n.*?)```", text, re.DOTALL)
    (tmp_path / "program.py").write_text("".join(program))
    assert "tflrepair.fix(" in program[0]
    command = [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "program.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
