"""``scan A B``: a line for each model, as for a folder; ``--all`` prints whole reports."""

from __future__ import annotations

import pytest
from conftest import DATA
from typer.testing import CliRunner

from tflrepair.cli import app

TWO = (str(DATA / "healthy.tflite"), str(DATA / "half.tflite"))


def scanned(*words: str) -> str:
    return CliRunner().invoke(app, ["scan", *words], env={"COLUMNS": "200"}).stdout


def test_several_files_are_told_in_short() -> None:
    told = scanned(*TWO)
    assert "Subgraphs" not in told and "Signatures" not in told
    assert told.startswith("ok") and "healthy.tflite" in told.splitlines()[0]
    assert told.rstrip().splitlines()[-1].startswith("2 models: ")


def test_their_findings_are_those_of_each() -> None:
    both = scanned(*TWO)
    alone = [line for line in scanned(TWO[1]).splitlines() if "TFR0" in line]
    assert alone and all(line.strip() in both for line in alone)


@pytest.mark.parametrize("words", [TWO, (TWO[0], TWO[0])])
def test_all_prints_whole_reports(words: tuple[str, ...]) -> None:
    assert scanned(*words, "--all").count("Subgraphs") == 2


def test_one_file_has_a_whole_report() -> None:
    assert scanned(TWO[0]).count("Subgraphs") == 1


def test_a_folder_with_all() -> None:
    folder = str(DATA)
    brief, whole = scanned(folder), scanned(folder, "--all")
    assert "Subgraphs" not in brief and whole.count("Subgraphs") > 5
