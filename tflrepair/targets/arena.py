"""How much memory TFLM's interpreter needs for a model, by running tflite-micro's own package."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tflrepair.execution.runtimes import BOOTSTRAP, environment
from tflrepair.graph.model import Model

WORKER = Path(__file__).with_name("arena_worker.py")
_TOTAL = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_TIMEOUT = 120.0


@dataclass(frozen=True)
class Arena:
    """Bytes; ``total`` is what the tensor arena must hold on a 64-bit machine. ``error``: why none.

    Pointers are half as wide on most microcontrollers, so that they need somewhat less.
    """

    total: int | None
    head: int | None
    tail: int | None
    error: str = ""


def installed() -> bool:
    return importlib.util.find_spec("tflite_micro") is not None


def measure(model: Model) -> Arena:
    """Let the interpreter allocate, in a child process, and read what it records."""
    with tempfile.TemporaryDirectory(prefix="tflrepair-") as name:
        path = Path(name, "model.tflite")
        path.write_bytes(model.data)
        try:
            done = subprocess.run(
                [sys.executable, str(BOOTSTRAP), str(WORKER), str(path)],
                capture_output=True,
                text=True,
                errors="replace",
                env=environment(sys.executable),
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Arena(None, None, None, str(error))
    found = {key: int(value) for key, value in _TOTAL.findall(done.stderr + done.stdout)}
    if "total" not in found:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        return Arena(None, None, None, lines[-1][:300] if lines else f"exit code {done.returncode}")
    return Arena(found["total"], found.get("head"), found.get("tail"))
