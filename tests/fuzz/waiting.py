"""Waiting for a child that may be slow on a busy machine but must not hang.

Computing is progress, however little a busy machine lets it have; a child that for a while neither
computes nor has a child of its own that does, waits for something that does not come.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_LOOK = 2.0  # seconds from look to look
_LAST_WORDS = 10.0  # seconds to tell where it hangs


def ended(
    command: Sequence[str], folder: Path, idle: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """The command's end and what it printed; after ``idle`` seconds of no progress it is ended.

    It is sent SIGABRT then, so that Python's faulthandler tells on stderr where it was.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            return _ended(process, idle)
        finally:
            with contextlib.suppress(ProcessLookupError):  # it and its children
                os.killpg(process.pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[str], idle: float) -> subprocess.CompletedProcess[str]:
    spent, since = -1, time.monotonic()
    while True:
        try:
            out, err = process.communicate(timeout=_LOOK)
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)
        except subprocess.TimeoutExpired:
            now = computed(process.pid)
            if now > spent:
                spent, since = now, time.monotonic()
            elif time.monotonic() - since > idle:
                break
    process.send_signal(signal.SIGABRT)
    try:
        out, err = process.communicate(timeout=_LAST_WORDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):  # its children hold its pipes, too
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, -signal.SIGABRT, out, "it hangs: " + err)


def computed(group: int) -> int:
    """Ticks of processor time of all processes of a group, ended ones that were waited for, too."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += sum(map(int, fields[11:15]))
    return ticks
