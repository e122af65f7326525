"""``scan --jobs``: the same answer as one process gives, whatever a file does to its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA
from typer.testing import CliRunner

from tflrepair.cli import app
from tflrepair.cli.scan_jobs import scan_folder
from tflrepair.cli.scan_writers import JsonWriter, Writer
from tflrepair.processes.pool import in_order

pytestmark = pytest.mark.runs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = (DATA / "healthy.tflite").read_bytes()
    (tmp_path / "deep").mkdir()
    for name in ("a.tflite", "b.tflite", "deep/c.tflite", "deep/e.tflite"):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "a_readme.txt").write_text("no model")
    (tmp_path / "deep" / "d.tflite").write_bytes(data[: len(data) // 2])
    shutil.make_archive(str(tmp_path / "f"), "zip", tmp_path, "deep")
    return tmp_path


def scanned(folder: Path, *more: str) -> tuple[int, list[str], str]:
    done = CliRunner().invoke(app, ["scan", str(folder), *more])
    return done.exit_code, [line for line in done.stdout.splitlines() if line], done.stderr


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github", "md"])
def test_the_answer_is_that_of_one_process(folder: Path, format: str) -> None:
    alone = scanned(folder, "--format", format)
    assert alone[0] == 2
    assert scanned(folder, "--format", format, "--jobs", "2") == alone


def test_json_is_one_document_of_all_models(folder: Path) -> None:
    told = json.loads("\n".join(scanned(folder, "--format", "json", "-j", "2")[1]))
    assert (len(told["results"]), len(told["errors"])) == (6, 2)


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_a_number_that_cannot_be(folder: Path, jobs: str) -> None:
    assert CliRunner().invoke(app, ["scan", str(folder), "--jobs", jobs]).exit_code != 0


def test_a_folder_without_models(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("none")
    code, _, error = scanned(tmp_path, "--jobs", "2")
    assert code == 2
    assert "holds no .tflite models" in error


def dies_at_d(writer: Writer, path: str) -> list[int]:
    if path.endswith("d.tflite"):
        os.kill(os.getpid(), signal.SIGKILL)
    return [0]


def test_a_file_that_kills_its_process_is_one_error(folder: Path) -> None:
    writer = JsonWriter()
    codes = list(scan_folder(str(folder), 2, writer, JsonWriter, dies_at_d))
    assert sorted(codes) == [0, 0, 0, 0, 0, 0, 2]
    assert [row["message"] for row in writer.errors] == ["the process that was reading it died"]


def square(number: int) -> int:
    if number % 7 == 3:
        os._exit(1)
    return number * number


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    found: Any = in_order(square, numbers(), 2)
    assert [next(found) for _ in range(5)] == [(0, 0), (1, 1), (2, 4), (3, None), (4, 16)]
    assert len(taken) < 100
    found.close()
