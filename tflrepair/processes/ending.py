"""How a child process ended, in words."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import IO

_NOISE = ("INFO:", "I0000", "W0000", "WARNING: All log messages")
_TAIL = 1 << 16  # bytes of the log that are looked at


def signal_name(code: int) -> str:
    """``SIGSEGV`` for the return code -11; ``exit code 3`` where no signal ended it."""
    if code >= 0:  # Windows has no signals; its codes are read in hexadecimal
        return f"exit code {code if code < 256 else hex(code)}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def ending(code: int, log: Path, who: str = "the process") -> str:
    """``the process died of SIGABRT: last words`` for a return code that is not 0."""
    text = f"{who} {'ended with' if code > 0 else 'died of'} {signal_name(code)}"
    with log.open("rb") as stream:
        words = last_words(stream)
    return f"{text}: {words}" if words else text


def last_words(log: IO[bytes]) -> str:
    """The last error that was printed (a stack dump may follow it), or the last line."""
    log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL))
    lines = [line.strip() for line in log.read(_TAIL).decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(_NOISE)]
    errors = [line for line in lines if re.search(r"error:|check failed", line, re.IGNORECASE)]
    return (errors or lines or [""])[-1][:400]
