"""Outputs: whole or not at all, never over anything precious, on every kind of file system."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from build import Build

import tflrepair
from tflrepair import files, leftovers, opening
from tflrepair.errors import BadFileError, UserError
from tflrepair.graph.model import load
from tflrepair.sources import opened

pytestmark = pytest.mark.runs

GRAFT: dict[str, Any] = {"sets": {"v": 1}, "force": True}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    build = Build()
    main = build.sub("main", "run")
    main.output(main.read(main.handle("v")))
    path = tmp_path / "model.tflite"
    path.write_bytes(build.bytes())
    return path


@pytest.fixture(params=["nameless", "named"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With O_TMPFILE, and as macOS, Windows and NFS are: without."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return str(request.param)


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".tflrepair")]


def test_an_output_is_written_and_nothing_is_left(tmp_path: Path, system: str) -> None:
    out = tmp_path / "out"
    files.write(out, b"new", force=False)
    assert out.read_bytes() == b"new" and parts(tmp_path) == []
    with pytest.raises(UserError, match="exists already"):
        files.write(out, b"newer", force=False)
    files.write(out, b"newer", force=True)
    assert out.read_bytes() == b"newer" and parts(tmp_path) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path, system: str) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"precious")
    with pytest.raises(UserError, match="No space left"), files.atomic(out, True) as output:
        output.begin().write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(KeyboardInterrupt), files.atomic(out, True) as output:
        output.begin().write(b"half")
        raise KeyboardInterrupt
    assert out.read_bytes() == b"precious" and parts(tmp_path) == []


def test_two_writers_without_force_do_not_overwrite(tmp_path: Path, system: str) -> None:
    out = tmp_path / "out"
    with pytest.raises(UserError, match="exists already"), files.atomic(out, False) as output:
        output.begin().write(b"mine")
        out.write_bytes(b"theirs")
    assert out.read_bytes() == b"theirs" and parts(tmp_path) == []


def test_a_name_of_250_letters(tmp_path: Path, system: str) -> None:
    out = tmp_path / ("n" * 250)
    files.write(out, b"x", force=False)
    assert out.read_bytes() == b"x"
    with pytest.raises(UserError, match="File name too long"):
        files.write(tmp_path / ("n" * 256), b"x", force=False)


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "dangling", "device"])
def test_only_regular_files_are_replaced(tmp_path: Path, model: Path, kind: str) -> None:
    out = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(out)
    elif kind == "folder":
        out.mkdir()
    elif kind == "device":
        out = Path("/dev/null")
    else:
        (tmp_path / "other").write_bytes(b"precious")
        out.symlink_to("other" if kind == "link" else "nothing")
    before = out.lstat().st_mode
    for force in (False, True):
        with pytest.raises(UserError, match="the output is"):
            tflrepair.fix(model, out=out, sets={"v": 1}, force=force)
        with pytest.raises(UserError, match="the output is"):
            tflrepair.fix(model, out=tmp_path / "o", map_out=out, sets={"v": 1}, force=force)
    assert out.lstat().st_mode == before
    assert kind != "link" or out.read_bytes() == b"precious"
    assert kind != "dangling" or not (tmp_path / "nothing").exists()


def test_no_input_is_overwritten_by_whatever_name(tmp_path: Path, model: Path) -> None:
    os.link(model, tmp_path / "hard.tflite")
    before = model.read_bytes()
    for out, map_out in ((tmp_path / "hard.tflite", None), (tmp_path / "o", model)):
        with pytest.raises(UserError, match="the output is the input"):
            tflrepair.fix(model, out=out, map_out=map_out, **GRAFT)
    folder = tmp_path / "saved_model"
    folder.mkdir()
    for source, out in ((folder, folder / "new"), (tmp_path / "ck", tmp_path / "ck.index")):
        with pytest.raises(UserError, match="the output is the input"):
            files.check_no_input(out, [source])
    files.check_no_input(tmp_path / "ck.tflite", [tmp_path / "ck"])
    assert model.read_bytes() == before


def test_large_models_are_not_mapped_while_renamed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames and removes no file that is mapped or open; this system stands in for it."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(opened, "WHOLE_BELOW", 1)
    replace, renamed = Path.replace, []

    def refusing(self: Path, target: Path) -> Path:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8")
        opened = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        if str(self) in maps or str(target) in maps or str(self) in opened:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(self))
        renamed.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    out = tmp_path / "out.tflite"
    result = tflrepair.fix(model, out=out, freeze=True, **GRAFT)
    assert renamed == [out] and result.after is not None and result.after.ok
    assert load(out).is_open and parts(tmp_path) == []
    with load(out).data:  # the fake does refuse
        kept = load(out)
        with pytest.raises(PermissionError):
            out.replace(out)
        del kept


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tflrepair.leftovers import held_file\n"
        "held_file(Path(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
    )
    part = tmp_path / ".tflrepair-00.part"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(part)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        leftovers.sweep_parts(tmp_path)
        assert part.exists()
        process.kill()
    leftovers.sweep_parts(tmp_path)
    assert not part.exists()


def test_workspaces_of_the_dead_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "tflrepair-dead"
    dead.mkdir()
    (dead / ".owner").touch()
    young = tmp_path / "tflrepair-young"  # about to get its lock
    young.mkdir()
    with leftovers.workspace() as mine, leftovers.workspace() as other:
        assert mine.exists() and other.exists() and young.exists() and not dead.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tflrepair-young"]
    os.utime(young, (time.time() - 3600,) * 2)
    with leftovers.workspace():
        assert not young.exists()


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "nothing"])
def test_nothing_waits_for_what_is_no_regular_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    for read in (opened.open_source, opening.open_regular, lambda p: opening.read_small(p, 10)):
        with pytest.raises(BadFileError, match=r"not a regular file|no such file"):
            read(path)
