"""The child processes that are alive, so that all of them can be ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LAUNCH = Path(__file__).with_name("launch.py")

_alive: set[subprocess.Popen[bytes]] = set()
_stopping = False


def command(
    script: Path, arguments: Sequence[str], *, python: str | None = None, memory: int = 0
) -> list[str]:
    """The command that runs a script of ours under its limits (see ``launch.py``)."""
    row = [python or sys.executable, str(LAUNCH), str(os.getpid()), str(memory)]
    return [*row, str(script), *arguments]


@contextlib.contextmanager
def running(
    line: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: IO[Any] | int = subprocess.DEVNULL,
    stdout: IO[Any] | int = subprocess.DEVNULL,
    stderr: IO[Any] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, which does not outlive the block.

    Raises:
        OSError: it cannot be started, or ``end_all`` has been called for good.
    """
    process = start(line, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    try:
        yield process
    finally:
        end(process)


def start(line: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A child process that ``end`` must be called for. Raises OSError as ``running``."""
    if _stopping:
        raise OSError("this process is about to end")
    process = subprocess.Popen(line, **options)
    _alive.add(process)
    if _stopping:  # a signal came in between
        end(process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process unless it has ended."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    _alive.discard(process)


def end_all(*, stop: bool = False) -> None:
    """Kill every child; with ``stop``, none can be started any more (this process is to end)."""
    global _stopping
    _stopping = _stopping or stop
    for process in tuple(_alive):
        with contextlib.suppress(OSError):
            process.kill()
