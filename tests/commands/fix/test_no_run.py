"""``--no-run``: no runtime is started, and nothing pretends that one was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build import Build
from typer.testing import CliRunner

import tflrepair
from tflrepair.cli import app
from tflrepair.errors import UserError
from tflrepair.execution import worker

# These tests have no marker, so a child process that one of them starts fails it.


@pytest.fixture
def model(tmp_path: Path) -> Path:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.handle("w"), (3,)))
    path = tmp_path / "model.tflite"
    path.write_bytes(build.bytes())
    return path


def test_the_result_is_written_checked_and_not_run(model: Path) -> None:
    result = tflrepair.fix(model, sets={"w": 2.0}, run=False)
    assert (result.run, result.not_run) == (None, "--no-run was given")
    assert result.after is not None
    assert result.after.ok
    assert not result.problems
    assert tflrepair.scan(str(result.out)).ok


def test_the_text_says_so_and_never_that_nothing_is_wrong(model: Path) -> None:
    done = CliRunner().invoke(app, ["fix", str(model), "--set", "w=2", "--no-run"])
    assert done.exit_code == 0, done.output
    assert "not run  --no-run was given" in done.output
    assert f"tflrepair verify {model.with_name('model.fixed.tflite')}" in done.output
    assert "Nothing wrong found" not in done.output


def test_the_json_says_so(model: Path) -> None:
    arguments = ["fix", str(model), "--set", "w=2", "--no-run", "--format", "json"]
    (told,) = json.loads(CliRunner().invoke(app, arguments).stdout)["results"]
    assert (told["run"], told["not_run"]) == (None, "--no-run was given")


def test_no_runtime_says_so_too(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "installed", dict)
    done = CliRunner().invoke(app, ["fix", str(model), "--set", "w=2"])
    assert done.exit_code == 0, done.output
    assert "not run  LiteRT is not installed (pip install 'tflrepair[run]')" in done.output
    assert "Nothing wrong found" not in done.output


def test_a_check_needs_a_run(model: Path) -> None:
    check = (model.with_name("in.npz"), model.with_name("out.npz"))
    with pytest.raises(UserError, match="--check runs the result"):
        tflrepair.fix(model, sets={"w": 2.0}, check=check, run=False)
    assert not model.with_name("model.fixed.tflite").exists()
