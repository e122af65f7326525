"""The fuzzer's patience: with what computes, however slowly, and not with what hangs."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from fuzz import waiting

pytestmark = pytest.mark.runs

_HANGS = "import faulthandler, time; faulthandler.enable(); print('here', flush=True); "
_COMPUTES = "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end: pass\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK", 0.1)


def test_an_end_is_told_with_its_code_and_words(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); sys.stderr.write('why'); sys.exit(3)"
    done = waiting.ended([sys.executable, "-c", code], tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (3, str(tmp_path), "why")


def test_what_hangs_is_ended_and_tells_where(tmp_path: Path) -> None:
    began = time.monotonic()
    code = _HANGS + "time.sleep(600)"
    done = waiting.ended([sys.executable, "-c", code], tmp_path, idle=1.0)
    assert time.monotonic() - began < 60
    assert done.returncode == -6 and done.stdout == "here\n"
    assert done.stderr.startswith("it hangs: ") and "<string>" in done.stderr


def test_what_does_not_even_abort_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_LAST_WORDS", 0.3)
    code = "import signal, time; signal.signal(signal.SIGABRT, signal.SIG_IGN); time.sleep(600)"
    done = waiting.ended([sys.executable, "-c", code], tmp_path, idle=0.5)
    assert done.returncode == -6


@pytest.mark.parametrize("inside", [False, True])
def test_computing_is_progress_in_a_child_of_the_child_as_well(
    tmp_path: Path, inside: bool
) -> None:
    """It computes longer than it may stand still. The one outside waits all the time."""
    (tmp_path / "computes.py").write_text(_COMPUTES)
    line = [sys.executable, "computes.py"]
    if inside:
        line = [sys.executable, "-c", f"import subprocess; subprocess.run({line!r}, check=True)"]
    assert waiting.ended(line, tmp_path, idle=1.0).returncode == 0


def test_what_it_started_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the pipes after the child's end: that was waited for without end."""
    monkeypatch.setattr(waiting, "_LAST_WORDS", 0.3)
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=2).pid)"
    done = waiting.ended([sys.executable, "-c", code + "; import os; os.close(2)"], tmp_path, 1.0)
    stat = Path(f"/proc/{done.stdout.split()[0]}/stat")
    until = time.monotonic() + 5
    while stat.exists() and stat.read_text().split()[2] != "Z" and time.monotonic() < until:
        time.sleep(0.05)
    assert not stat.exists() or stat.read_text().split()[2] == "Z"
