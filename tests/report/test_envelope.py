"""JSON that every program reads: bytes that are not UTF-8 are written as text."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import DATA
from typer.testing import CliRunner

from tflrepair.cli import app
from tflrepair.report.contract.envelope import well_formed


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("plain", "plain"),
        ("Größe 模型 \U0001f600", "Größe 模型 \U0001f600"),
        (os.fsdecode(b"a\xffb\x80"), r"a\xffb\x80"),
        ("\ud800", r"\ud800"),
        ({"\udcff": [1, None, True, ("\udcfe",)]}, {r"\xff": [1, None, True, [r"\xfe"]]}),
    ],
)
def test_well_formed(value: object, wanted: object) -> None:
    assert well_formed(value) == wanted


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_path_that_is_not_utf8(tmp_path: Path, form: str) -> None:
    sound = Path(os.fsdecode(os.fsencode(tmp_path) + b"/sound\xff.tflite"))
    sound.write_bytes((DATA / "healthy.tflite").read_bytes())
    missing = sound.with_name(os.fsdecode(b"missing\xfe.tflite"))
    done = CliRunner().invoke(app, ["scan", str(sound), str(missing), "--format", form])
    json.loads(done.stdout.encode("utf-8"))
    assert "\\ud" not in done.stdout.lower()
    if form == "json":
        assert r"sound\\xff" in done.stdout and r"missing\\xfe" in done.stdout


def test_model_explorer_too(tmp_path: Path) -> None:
    sound = Path(os.fsdecode(os.fsencode(tmp_path) + b"/sound\xff.tflite"))
    sound.write_bytes((DATA / "healthy.tflite").read_bytes())
    out = tmp_path / "nodes.json"
    done = CliRunner().invoke(app, ["scan", str(sound), "--model-explorer", str(out)])
    assert done.exit_code == 0
    assert "\\ud" not in out.read_text().lower()
