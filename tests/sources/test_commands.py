"""Commands take addresses as they take paths; what is written is written here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DATA
from typer.testing import CliRunner

import tflrepair
from sources.server import Served, serving
from tflrepair.cli import app
from tflrepair.errors import UserError


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A model without its initial values, so large that it is read by ranges."""
    path = tmp_path / "partial.tflite"
    path.write_bytes((DATA / "partial.tflite").read_bytes())
    os.truncate(path, 3 << 20)
    monkeypatch.chdir(tmp_path)
    with serving(path) as served:
        yield served


def ran(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    error = f"{done.exception}" if isinstance(done.exception, tflrepair.TflRepairError) else ""
    return done.exit_code, done.stdout + error


def test_scan(served: Served) -> None:
    code, out = ran("scan", served.address, "--format", "json")
    (told,) = json.loads(out)["results"] if "results" in out else json.loads(out)
    assert code == 1 and served.address in json.dumps(told) and "TFR001" in out
    assert served.sent < 200_000


@pytest.mark.parametrize("words", [["show"], ["show", "--format", "json"]])
def test_show(served: Served, words: list[str]) -> None:
    code, out = ran(*words, served.address)
    assert code == 0 and "ASSIGN_VARIABLE" in out and served.sent < 500_000


def test_diff(served: Served) -> None:
    code, out = ran("diff", served.address, str(served.file))
    assert code == 0 and "No difference that changes an answer" in out


def test_fix_writes_here(served: Served, tmp_path: Path) -> None:
    code, out = ran("fix", served.address, "--set", "*=1.0")
    wanted = f"type: tflrepair fix {served.address} --set '*=1.0' -o model.fixed.tflite"
    assert code != 0 and wanted in out
    assert [path.name for path in tmp_path.iterdir()] == ["partial.tflite"]
    with pytest.raises(UserError, match="-o model"):
        tflrepair.fix(served.address, sets={"*": 1.0})
    here, there = tmp_path / "here.tflite", tmp_path / "there.tflite"
    tflrepair.fix(served.file, sets={"*": 1.0}, out=here, run=False)
    code, out = ran("fix", served.address, "--set", "*=1.0", "-o", str(there), "--no-run")
    assert code == 0 and there.read_bytes() == here.read_bytes()
    assert ran("fix", served.address, "--set", "*=1.0", "--dry-run")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["scan"],
        ["scan", "--format", "json"],
        ["scan", "--format", "sarif"],
        ["scan", "--html", "page.html"],
        ["show", "--format", "json"],
        ["diff", "partial.tflite"],
        ["extract", "-o", "w.npz", "--format", "json"],
        ["fix", "--set", "*=1.0"],
        ["fix", "--dry-run", "--format", "json"],
        ["verify", "--signature", "nothing"],
        ["train", "--data", "no.npz"],
        ["add-state", "-o", "s.tflite"],
        ["convert", "-o", "c.tflite"],
        ["rebuild", "--emit-python", "c.py", "-w", "no.h5"],
    ],
)
def test_passwords_are_told_to_nobody(served: Served, tmp_path: Path, words: list[str]) -> None:
    address = served.address.replace("://", "://bob:s3cr3t@")
    _, out = ran(words[0], address, *words[1:])
    assert "://" not in out or "://***@" in out
    written = [p.read_text("latin-1") for p in tmp_path.iterdir() if p.suffix != ".tflite"]
    assert "s3cr3t" not in "".join([out, *written])
    assert "s3cr3t" not in repr(tflrepair.scan(address))


def test_what_is_read_here_only_says_so(served: Served) -> None:
    for words in (
        ["convert", served.address, "-o", "c.tflite"],
        ["fix", str(served.file), "-w", served.address, "-o", "o.tflite"],
    ):
        code, out = ran(*words)
        assert code != 0 and "download it first" in out and "does not exist" not in out
