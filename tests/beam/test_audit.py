"""Hundreds of models in a pipeline of Apache Beam: each gives a row, and none stops it.

Run by `make test-beam`, which makes an environment with Beam: its pins are not those of TensorFlow.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from sources.server import Served, serving

import tflrepair
from tflrepair import audit
from tflrepair.audit.scanner import Scanner
from tflrepair.errors import UserError
from tflrepair.report.scan_json import item

pytestmark = pytest.mark.runs

DATA = Path(__file__).parents[1] / "data"
HEALTHY = DATA / "healthy.tflite"


def scanned(elements: list[Any], **options: Any) -> list[audit.Row]:
    """The rows of a pipeline, in no order; as JSON, which they must be fit for."""
    with TemporaryDirectory() as folder:
        with beam.Pipeline(runner="DirectRunner") as pipeline:
            rows = pipeline | beam.Create(elements) | audit.Scan(**options)
            lines = rows | beam.Map(json.dumps)
            _ = lines | beam.io.WriteToText(str(Path(folder, "rows")))
        parts = sorted(Path(folder).iterdir())
        return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


@pytest.fixture
def silent() -> Iterator[Served]:
    """A server that takes a request and then says nothing."""
    with serving(HEALTHY) as served:
        served.always = "silence"
        yield served


def test_hundreds_of_files_damaged_and_missing_ones(tmp_path: Path) -> None:
    for number in range(300):
        path = tmp_path / f"{number}.tflite"
        source = sorted(DATA.glob("*.tflite"))[number % 9]
        data = source.read_bytes()
        path.write_bytes(data[: len(data) // 2] if number % 10 == 3 else data)
    (tmp_path / "empty.tflite").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo.tflite")
    names = [*(f"{n}.tflite" for n in range(310)), "empty.tflite", "fifo.tflite"]
    rows = scanned([str(tmp_path / name) for name in names])
    assert len(rows) == len(names)
    by_name = {Path(row["path"]).name: row for row in rows}
    assert set(by_name) == set(names)
    for number in range(300):
        row = by_name[f"{number}.tflite"]
        if number % 10 == 3:
            assert not row["ok"] and row["error"] and row["error"]["code"] == "damaged-file"
        else:
            expected = tflrepair.scan(tmp_path / f"{number}.tflite")
            assert row["result"] == item(expected) and row["ok"] == expected.ok
    for name in ("305.tflite", "empty.tflite", "fifo.tflite"):
        assert not by_name[name]["ok"] and by_name[name]["error"]
    total = audit.summary(rows)
    assert (total["models"], total["unreadable"]) == (312, 42)
    assert total["fine"] + total["problems"] == 270


def test_the_tally_is_that_of_the_rows() -> None:
    paths = [str(path) for path in sorted(DATA.glob("*.tflite"))] * 20
    expected = audit.summary(scanned(paths))
    assert expected["models"] == 180 and expected["findings"]["TFR001"] >= 20
    with beam.Pipeline(runner="DirectRunner") as pipeline:
        total = (
            pipeline
            | beam.Create(paths)
            | beam.Reshuffle()
            | audit.Scan()
            | beam.CombineGlobally(audit.Tally())
        )
        assert_that(total, equal_to([expected]))


def test_names_and_bytes_folders_and_archives(tmp_path: Path) -> None:
    shutil.copy(HEALTHY, tmp_path / "a.tflite")
    shutil.copy(DATA / "partial.tflite", tmp_path / "b.tflite")
    archive = shutil.make_archive(str(tmp_path / "c"), "zip", DATA, "healthy.tflite")
    rows = scanned([str(tmp_path), archive, ("given", HEALTHY.read_bytes()), ("bad", b"no model")])
    found = {Path(row["path"]).name: row["ok"] for row in rows}
    assert found == {
        "a.tflite": True, "b.tflite": False, "healthy.tflite": True, "given": True, "bad": False,
    }  # fmt: skip


def test_checks_are_chosen() -> None:
    (row,) = scanned([str(DATA / "partial.tflite")], ignore=["TFR"])
    assert row["ok"] and row["result"] and row["result"]["findings"] == []
    with pytest.raises(UserError):
        audit.Scan(select=["XYZ"])
    with pytest.raises(UserError):
        audit.Scan(seconds=0)


@pytest.mark.parametrize("wrong", [7, None, ("name", 3), ["a", "b", "c"]])
def test_an_element_that_is_no_model_is_a_row(wrong: Any) -> None:
    rows = scanned([wrong, str(HEALTHY)])
    assert sorted(row["ok"] for row in rows) == [False, True]


def test_a_file_that_is_never_read_to_its_end_is_a_row(silent: Served) -> None:
    begin = time.monotonic()
    rows = scanned([str(HEALTHY), silent.address, str(HEALTHY)], seconds=1.5)
    assert sorted(row["ok"] for row in rows) == [False, True, True]
    (bad,) = [row for row in rows if not row["ok"]]
    assert bad["error"] and "within 1.5 seconds" in bad["error"]["message"]
    assert time.monotonic() - begin < 60


def test_a_file_whose_reading_ends_the_process_is_a_row(silent: Served) -> None:
    """As the system does it to the process that takes most memory; another one is tried, too."""

    def kill() -> None:
        for _ in range(2):
            while not silent.asked:
                time.sleep(0.01)
            for child in children():
                os.kill(child, signal.SIGKILL)
            silent.asked = 0

    killer = threading.Thread(target=kill)
    killer.start()
    rows = scanned([str(HEALTHY), silent.address, str(HEALTHY)])
    killer.join()
    assert sorted(row["ok"] for row in rows) == [False, True, True]
    (bad,) = [row for row in rows if not row["ok"]]
    assert bad["error"] and "ended (SIGKILL)" in bad["error"]["message"]


def children() -> list[int]:
    """The processes that this one has started, by whichever thread."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def test_no_process_is_left() -> None:
    scanned([str(HEALTHY)])
    scanner = Scanner((), (), False, 60)
    assert scanner.rows(str(HEALTHY))[0]["ok"] and children()
    scanner.close()
    assert children() == []
