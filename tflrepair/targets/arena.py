"""How much memory TFLM's interpreter needs for a model, by running tflite-micro's own package."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from tflrepair.execution.child import run_script
from tflrepair.graph.model import Model
from tflrepair.leftovers import workspace
from tflrepair.targets.arena_worker import REFUSED

WORKER = Path(__file__).with_name("arena_worker.py")
_TOTAL = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_TIMEOUT = 120.0
_REASONS = 300  # characters


@dataclass(frozen=True)
class Arena:
    """Bytes; ``total`` is what the tensor arena must hold on a 64-bit machine. ``error``: why none.

    ``refused``: the interpreter itself does not take the model, so no arena is large enough.

    Pointers are half as wide on most microcontrollers, so that they need somewhat less.
    """

    total: int | None
    head: int | None
    tail: int | None
    error: str = ""
    refused: bool = False


def installed() -> bool:
    return importlib.util.find_spec("tflite_micro") is not None


def measure(model: Model) -> Arena:
    """Let the interpreter allocate, in a child process, and read what it records."""
    with workspace() as place:
        path, log = place / "model.tflite", place / "log"
        path.write_bytes(model.data)
        end = run_script(WORKER, [str(path)], log, _TIMEOUT, "tflite-micro")
        printed = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    found = {key: int(value) for key, value in _TOTAL.findall(printed)}
    if "total" not in found:
        if f"exit code {REFUSED}" in end:
            return Arena(None, None, None, _reason(printed), refused=True)
        return Arena(None, None, None, end or "the interpreter reports no arena")
    return Arena(found["total"], found.get("head"), found.get("tail"))


def _reason(printed: str) -> str:
    """What the kernels printed, the last first: the operator, then what it cannot do."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return ": ".join(reversed(lines[-3:-1] or lines))[:_REASONS]
