"""How a child process ended, in words."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tflrepair.execution.runtimes import BOOTSTRAP, environment

_NOISE = ("INFO:", "I0000", "W0000", "WARNING: All log messages")
_TAIL = 1 << 16  # bytes of the log that are looked at


def run_script(
    script: Path, arguments: Sequence[str], log: Path, timeout: float, who: str = "the process"
) -> str:
    """Run a script of ours by this Python; empty if it came to a good end, else what happened.

    Args:
        log: takes what it prints.
        timeout: seconds that it may take.
    """
    try:
        with log.open("wb") as stream:
            done = subprocess.run(
                [sys.executable, str(BOOTSTRAP), str(script), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=environment(sys.executable),
                timeout=timeout,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return f"it took more than {timeout:g} s and was ended"
    except OSError as error:
        return f"no child process can be started: {error}"
    return ending(done.returncode, log, who) if done.returncode else ""


def ending(code: int, log: Path, who: str = "the process") -> str:
    """``the process died of SIGABRT: last words`` for a return code that is not 0."""
    if code > 0:  # Windows has no signals; its codes are read in hexadecimal
        text = f"{who} ended with exit code {code if code < 256 else hex(code)}"
    else:
        try:
            text = f"{who} died of {signal.Signals(-code).name}"
        except ValueError:
            text = f"{who} died of signal {-code}"
    words = last_words(log)
    return f"{text}: {words}" if words else text


def last_words(log: Path) -> str:
    """The last error that was printed (a stack dump may follow it), or the last line."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL))
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(_NOISE)]
    errors = [line for line in lines if re.search(r"error:|check failed", line, re.IGNORECASE)]
    return (errors or lines or [""])[-1][:400]
