"""Temporary files under names of ours: what interrupts leaves none, and old ones are swept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

import tflrepair
from tflrepair import leftovers
from tflrepair.cli import app
from tflrepair.errors import BadFileError, UserError
from tflrepair.leftovers import Folder
from tflrepair.weights import open_weights
from tflrepair.weights.native import pool


@pytest.mark.parametrize("moment", ["hold", "rename"])
def test_an_interruption_leaves_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    rename = Path.rename

    def interrupted(*arguments: Any) -> None:
        if moment == "rename":  # just after it
            rename(*arguments)
        raise KeyboardInterrupt

    target = "tflrepair.leftovers.hold" if moment == "hold" else "pathlib.Path.rename"
    monkeypatch.setattr(target, interrupted)
    with pytest.raises(KeyboardInterrupt):
        leftovers.held_file(tmp_path / "x.part")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_its_owner_never_held_is_swept_when_it_is_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".tflrepair-a.part.1", tmp_path / ".tflrepair-b.part.2"
    for path in (old, young):
        path.touch()
    long_ago = time.time() - 3600
    os.utime(old, (long_ago, long_ago))
    leftovers.sweep_parts(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


def test_an_interruption_leaves_no_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tflrepair.leftovers.held_file", interrupted)
    with pytest.raises(KeyboardInterrupt), leftovers.workspace():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_in_the_making_is_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may sweep between any two steps. It once took the lock of a workspace
    before its owner did, and removed the folder under it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    steps: list[str] = []

    def swept(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def between(*arguments: Any, **options: Any) -> Any:
            sweep(name)
            try:
                return step(*arguments, **options)
            finally:
                sweep(name)

        return between

    def sweep(name: str) -> None:
        with monkeypatch.context() as real:
            for target, step in originals.items():
                real.setattr(target, step)
            leftovers._sweep_folders(tmp_path)
        steps.append(name)

    originals: dict[str, Callable[..., Any]] = {
        "pathlib.Path.mkdir": Path.mkdir,
        "os.open": os.open,
        "tflrepair.leftovers.hold": leftovers.hold,
        "pathlib.Path.rename": Path.rename,
    }
    for target, step in originals.items():
        monkeypatch.setattr(target, swept(target, step))
    with leftovers.workspace() as folder:
        assert set(steps) == set(originals)
        (folder / "work").touch()
        sweep("work")
        assert {path.name for path in folder.iterdir()} == {".owner", "work"}
    assert list(tmp_path.iterdir()) == []


def test_every_temporary_folder_of_ours_is_a_workspace() -> None:
    """One that has our prefix and no lock is swept while it is in use, once it is old."""
    makers = re.compile(r"TemporaryDirectory\(|mkdtemp\(")
    paths = sorted((ROOT / "tflrepair").rglob("*.py"))
    found = {path.name for path in paths if makers.search(path.read_text(encoding="utf-8"))}
    assert found == {"python_file.py"}  # in the text of the file that it writes


def test_a_demo_that_takes_long_is_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[list[str]] = []

    def step(title: str, *_: Any, **__: Any) -> dict[str, Any]:
        (folder,) = tmp_path.iterdir()
        long_ago = time.time() - 3600
        os.utime(folder, (long_ago, long_ago))
        leftovers._sweep_folders(tmp_path)
        seen.append([path.name for path in folder.iterdir()])
        return {"ok": True, "exit_code": 0, "title": title}

    monkeypatch.setattr("tflrepair.cli.commands.demo._step", step)
    assert CliRunner().invoke(app, ["demo"]).exit_code == 0
    assert len(seen) > 2 and all("broken.tflite" in names for names in seen)
    assert list(tmp_path.iterdir()) == []


def test_without_locks_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A POSIX system whose Python has no fcntl, where an open file can be removed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with leftovers.workspace() as first, leftovers.workspace() as second:
        assert (first / ".owner").exists() and (second / ".owner").exists()


# of the children that read weights
_WORKER = """
import os, pathlib, signal, tempfile
(pathlib.Path(tempfile.mkdtemp()) / "file").touch()
os.kill(os.getpid(), signal.SIGKILL)
"""
_KILLED = """
import os, pathlib, signal, sys, time
from tflrepair.weights import open_weights
source = open_weights(sys.argv[1])
(folder,) = pathlib.Path(os.environ["TMPDIR"]).glob("tflrepair-*")
(folder / "file").touch()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.ones(3, np.float32)
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    pool.end_idle()
    return folder


@pytest.mark.runs
def test_what_a_killed_child_leaves_goes_at_once(
    weights: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = weights.with_name("worker.py")
    worker.write_text(_WORKER)
    monkeypatch.setattr(pool, "WORKER", worker)
    with pytest.raises(BadFileError, match="SIGKILL"):
        open_weights(weights)
    assert list(place.iterdir()) == []


@pytest.mark.runs
def test_a_kept_child_has_its_folder_until_it_ends(weights: Path, place: Path) -> None:
    source = open_weights(weights)
    assert len(list(place.iterdir())) == 1
    del source
    pool.end_idle()
    assert list(place.iterdir()) == []


@pytest.mark.runs
def test_what_our_own_death_leaves_goes_with_the_next_run(weights: Path, place: Path) -> None:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": paths}
    line = [sys.executable, "-c", _KILLED, str(weights)]
    assert subprocess.run(line, env=environment).returncode == -signal.SIGKILL
    assert len(list(place.iterdir())) == 1
    folder = Folder()
    made = folder.make()
    assert list(place.iterdir()) == [made]
    folder.leave()
    assert list(place.iterdir()) == []


@pytest.mark.runs
def test_no_folder_is_needed_to_read(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.end_idle()
    monkeypatch.setattr("tempfile.tempdir", str(weights.with_name("nowhere")))
    assert open_weights(weights).weights[0].read().sum() == 3
    pool.end_idle()


@pytest.mark.parametrize("way", ["scan", "library"])
def test_no_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A packed model needs one; the file is not to blame, and standard output neither."""
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(ROOT / "tests" / "data" / "healthy.tflite", "m.tflite")

    def none(**_: Any) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in []")

    monkeypatch.setattr("tempfile.TemporaryFile", none)
    if way == "library":
        with pytest.raises(UserError, match="set TMPDIR to a writable folder"):
            tflrepair.scan(f"{path}!/m.tflite")
        return
    result = CliRunner().invoke(app, ["scan", str(path)])
    assert "no temporary file can be made: No usable temporary directory" in result.output
