"""The process behind an audit fails in every way: each is a row, and the next input is read."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA
from sources.rogue import KINDS, rogue

from tflrepair import audit
from tflrepair.audit import child
from tflrepair.audit.rows import Row
from tflrepair.audit.scanner import Scanner
from tflrepair.errors import UnsupportedError, UserError

pytestmark = pytest.mark.runs
HEALTHY = str(DATA / "healthy.tflite")

# begins as the real one does, and answers nothing yet
FAKE = """
import json, os, signal, sys, time
out = sys.stdout.buffer
def say(text):
    out.write(text); out.flush()
def asked():
    row = json.loads(sys.stdin.buffer.readline() or sys.exit())
    sys.stdin.buffer.read(row["size"] or 0)
    return row["number"]
ROW = {"path": "x", "ok": True, "result": None, "error": None}
"""


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    found = Scanner((), (), False, 20)
    yield found
    found.close()


def row_of(scanner: Scanner, given: Any) -> Row:
    (row,) = scanner.rows(given)
    json.dumps(row, allow_nan=False).encode()
    return row


def said(row: Row) -> str:
    assert not row["ok"] and row["error"] is not None and row["result"] is None
    return f"{row['error']['code']}: {row['error']['message']}"


def process_of(scanner: Scanner) -> subprocess.Popen[bytes]:
    assert scanner._child is not None
    return scanner._child._process


def number(scanner: Scanner) -> int:
    return process_of(scanner).pid


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("asked(); say(b'nonsense\\n')", "an answer that cannot be understood"),
        ("asked(); say(b'[' * 5_000 + b'\\n')", "an answer that cannot be understood"),
        ("asked(); say(b'[0, []]\\n')", "an answer that cannot be understood"),
        ("asked(); say(b'[0, [{}]]\\n')", "an answer that cannot be understood"),
        ("say(json.dumps([asked() + 1, [ROW]]).encode() + b'\\n')", "cannot be understood"),
        ("asked(); say(b'[0, [{\"path')", "ended (exit code 0)"),
        ("asked(); say(b'[0, ['); os.kill(os.getpid(), 9)", "ended (SIGKILL)"),
        ("asked(); say(b'[0, ['); os.kill(os.getpid(), 15)", "ended (SIGTERM)"),
        ("asked(); say(b'[0, ['); os.close(1); time.sleep(60)", "gave no answer"),
        ("asked(); os.kill(os.getpid(), signal.SIGSTOP)", "was not read within 1 seconds"),
        ("asked(); say(b'[0, ['); time.sleep(60)", "was not read within 1 seconds"),
        ("asked(); say(b' ' * 20_000); time.sleep(60)", "more than 10.0 KB would have to be"),
        ("time.sleep(60)", "was not read within 1 seconds"),
        ("asked(); raise MemoryError", "out-of-memory: there is not enough memory to read it"),
        ("asked(); 1/0", "ended (exit code 1): ZeroDivisionError: division by zero"),
    ],
)
def test_a_process_that_gives_no_answer(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor may it be that one more is blamed: the real one reads what comes next."""
    fake = tmp_path / "fake.py"
    fake.write_text(f"{FAKE}say(b'[]\\n')\n{script}\n")
    scanner = Scanner((), (), False, 1)
    with monkeypatch.context() as patch:
        patch.setattr(child, "WORKER", fake)
        patch.setattr(child, "_MOST", 10_000)
        patch.setattr(child, "_ENDING", 0.3)
        assert message in said(row_of(scanner, (HEALTHY, bytes(3 << 20))))
    scanner._seconds = 20
    assert row_of(scanner, HEALTHY)["ok"]
    scanner.close()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import nothing_of_this_name", "ended (exit code 1): ModuleNotFoundError"),
        ("time.sleep(60)", "was not read within 1 seconds"),
        ("os.kill(os.getpid(), 9)", "ended (SIGKILL)"),
    ],
)
def test_a_process_that_does_not_start(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scanner: Scanner
) -> None:
    fake = tmp_path / "fake.py"
    fake.write_text(f"{FAKE}{script}\n")
    monkeypatch.setattr(child, "WORKER", fake)
    monkeypatch.setattr(child, "_START", 1.0)
    told = said(row_of(scanner, HEALTHY))
    assert told.startswith("unsupported: no process to read it could be started")
    assert message in told


def test_no_memory_and_no_threads_in_the_caller(
    monkeypatch: pytest.MonkeyPatch, scanner: Scanner
) -> None:
    def none(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none)
        assert "can't start new thread" in said(row_of(scanner, HEALTHY))
    with monkeypatch.context() as patch:
        patch.setattr(child.Child, "ask", full)
        assert said(row_of(scanner, HEALTHY)).startswith("out-of-memory")
    assert row_of(scanner, HEALTHY)["ok"]


def test_no_python_to_start(monkeypatch: pytest.MonkeyPatch, scanner: Scanner) -> None:
    monkeypatch.setattr("sys.executable", "/nothing/python")
    assert "No such file or directory: '/nothing/python'" in said(row_of(scanner, HEALTHY))


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_kept_process_that_dies_costs_no_row(kind: signal.Signals, scanner: Scanner) -> None:
    """Before it is asked, and while it reads; what was read before may be to blame, so again."""
    assert row_of(scanner, HEALTHY)["ok"]
    os.kill(number(scanner), kind)
    assert row_of(scanner, HEALTHY)["ok"]
    before = number(scanner)
    os.kill(before, signal.SIGSTOP)

    def kill() -> None:
        time.sleep(0.3)
        os.kill(before, kind)
        with contextlib.suppress(ProcessLookupError):
            os.kill(before, signal.SIGCONT)

    killer = threading.Thread(target=kill)
    killer.start()
    assert row_of(scanner, HEALTHY)["ok"] and number(scanner) != before
    killer.join()


def test_an_answer_that_nobody_waited_for_is_not_the_next_ones(scanner: Scanner) -> None:
    assert row_of(scanner, HEALTHY)["ok"]
    requests = process_of(scanner).stdin
    assert requests is not None
    request = {"path": "nothing", "size": None, "number": 5, "values": False}
    requests.write(json.dumps({**request, "select": [], "ignore": []}).encode() + b"\n")
    requests.flush()
    row = row_of(scanner, HEALTHY)
    assert row["ok"] and row["path"] == HEALTHY


class Path_:
    """A path of whatever kind."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __fspath__(self) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_what_is_no_input(scanner: Scanner) -> None:
    assert row_of(scanner, Path_(os.fsencode(HEALTHY)))["ok"]
    assert "is no path: no" in said(row_of(scanner, Path_(RuntimeError("no"))))
    assert "is no path" in said(row_of(scanner, Path_(7)))
    row = row_of(scanner, b"x" * 1000)
    assert row["path"] == "(a bytes)" and "is no input" in said(row)
    assert row_of(scanner, ("name", 3))["path"] == "name"
    for name in ("a\0b", "", "a\nb", "x" * 5000, "nowhere/\udcff.tflite"):
        assert said(row_of(scanner, name)).startswith(("usage", "bad-file"))
    assert said(row_of(scanner, ("\udcff", b"no model"))).startswith("bad-file")
    assert number(scanner)


def test_names_that_are_not_utf_8_are_fit_for_json(tmp_path: Path, scanner: Scanner) -> None:
    place = tmp_path / os.fsdecode(b"\xff.tflite")
    place.write_bytes(Path(HEALTHY).read_bytes())
    row = row_of(scanner, str(tmp_path))
    assert row["ok"] and row["path"].endswith("\\xff.tflite")


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "7", None])
def test_seconds_that_cannot_be(seconds: Any) -> None:
    with pytest.raises(UserError, match="seconds cannot be"):
        Scanner((), (), False, seconds)


def test_without_end_and_without_a_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(**_options: str) -> None:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr("tempfile.TemporaryFile", none)
    scanner = pickle.loads(pickle.dumps(Scanner((), (), False, float("inf"))))
    assert row_of(scanner, HEALTHY)["ok"]
    os.kill(number(scanner), signal.SIGKILL)
    assert row_of(scanner, HEALTHY)["ok"]
    scanner.close()


def test_a_model_that_is_cut_short_between_two_looks(tmp_path: Path, scanner: Scanner) -> None:
    """In a large one, tables are read when they are asked for."""
    path = tmp_path / "model.tflite"
    path.write_bytes(Path(HEALTHY).read_bytes())
    os.truncate(path, 100 << 20)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for size in (100, 100 << 20, 7):
                os.truncate(path, size)
                time.sleep(0.001)

    thread = threading.Thread(target=change)
    thread.start()
    rows = [row_of(scanner, str(path)) for _ in range(50)]
    stop.set()
    thread.join()
    assert {row["error"]["code"] for row in rows if row["error"]} <= {"bad-file", "damaged-file"}
    assert scanner._child is not None and scanner._child.answers == 50


@pytest.mark.parametrize("kind", KINDS)
def test_servers_that_mean_harm(kind: str, scanner: Scanner) -> None:
    with rogue(kind) as address:
        row = row_of(scanner, address)
    assert said(row).startswith(("bad-file", "damaged-file")) and scanner._child is not None


def test_nobody_is_left(scanner: Scanner) -> None:
    assert row_of(scanner, HEALTHY)["ok"]
    left = number(scanner)
    scanner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)


def test_beam_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "tflrepair.audit.transform", raising=False)
    with pytest.raises(UnsupportedError, match="needs Apache Beam"):
        _ = audit.Scan
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = audit.nothing
