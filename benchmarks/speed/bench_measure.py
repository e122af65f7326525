"""Measuring: whole processes, ours and an anchor's in turn, so that a slow moment meets both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_models import ROOT

# Without bytecode on the disk, every start would compile all of ours again.
_KEPT = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENV = {**_KEPT, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
Command = Sequence[str]

# Starts a command and prints its exit code, seconds and peak memory. A process of its own, because
# Linux counts what a parent held when it forked as memory of the child (man getrusage, ru_maxrss).
_LAUNCH = """
import os, sys, time
begin = time.perf_counter()
pid = os.fork()
if not pid:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - begin,
      used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock, seconds of computing, and megabytes of the largest process."""

    seconds: float
    computing: float
    megabytes: float


@dataclass(frozen=True)
class Paired:
    """Medians of the pairs, and of the ratios of their seconds of computing, and of the clock."""

    ours: Cost
    anchor: Cost
    ratio: float
    clock: float
    pairs: int


def cost(command: Command, fine: Sequence[int] = (0, 1)) -> Cost:
    """One run of a command. It must end with one of ``fine``, or nothing was measured."""
    done = subprocess.run(
        [sys.executable, "-ISc", _LAUNCH, *command],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
    )  # fmt: skip
    code, seconds, computing, kilobytes = map(float, done.stdout.split())
    if code not in fine:
        raise SystemExit(f"ended with {code:g}: {' '.join(command)[:300]}")
    return Cost(seconds, computing, kilobytes / 1024)


def paired(
    ours: Command, anchor: Command, pairs: int, between: Callable[[], None] = lambda: None
) -> Paired:
    """Both in turn, after one run of each that does not count."""
    rows = []
    for number in range(pairs + 1):
        row = []
        for command in (ours, anchor):
            row.append(cost(command))
            between()
        if number:
            rows.append(row)
    ratios = [mine.computing / other.computing for mine, other in rows]
    clock = [mine.seconds / other.seconds for mine, other in rows]
    return Paired(
        _median([r[0] for r in rows]), _median([r[1] for r in rows]),
        statistics.median(ratios), statistics.median(clock), pairs,
    )  # fmt: skip


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(c.seconds for c in costs),
        statistics.median(c.computing for c in costs),
        max(c.megabytes for c in costs),
    )


def python(code: str, *arguments: str | Path) -> list[str]:
    """A command that runs ``code``."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def tool(*arguments: str | Path) -> list[str]:
    """A command line of tflrepair."""
    return [sys.executable, "-m", "tflrepair", *map(str, arguments)]
