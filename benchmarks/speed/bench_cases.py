"""What is written, measured against what, and the target of each."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_measure import Command, Paired, paired, python, tool
from bench_read import BARE, Row

MAKER = Path(__file__).with_name("bench_models.py")


@dataclass(frozen=True)
class Case:
    """``ours`` against ``peer``. Targets: at most so many seconds, megabytes, times the peer."""

    name: str
    ours: Command
    peer: Command
    against: str
    seconds: float | None = None
    megabytes: float | None = None
    ratio: float | None = None


def reported() -> Path:
    """The folder of the reported model."""
    done = subprocess.run(
        [sys.executable, MAKER, "reported"], stdout=subprocess.PIPE, text=True, check=True
    )
    return Path(done.stdout.split("\n")[-2])


def cases(models: Path, giant: Path, out: Path) -> Iterator[Case]:
    """All that is measured; each writes ``out``."""
    model, weights = models / "model.tflite", models / "new_model.weights.h5"
    fix = ("fix", model, "-w", weights, "--learning-rate", "1e-4", "-o", out)
    bare = python(BARE, "x")
    yield Case("graft --no-run", tool(*fix, "--no-run"), bare, "bare typer app", 0.5, 100)
    yield Case("graft, run", tool(*fix), bare, "bare typer app", 1.0, 100)
    optimize = tool(*fix, "--strategy", "optimize")
    yield Case("optimize", optimize, bare, "bare typer app", 2.0)
    gigabytes = f"{giant.stat().st_size / 1e9:.1f} GB"
    graft = tool("fix", giant, "--set", "v=1", "-o", out)
    copy = ["cp", "--sparse=never", str(giant), str(out)]
    yield Case(f"graft of {gigabytes}", graft, copy, "cp", None, 200, 1.3)
    # what ``fix`` has written is on the disk when it ends, what ``cp`` has written is not
    kept = ["sh", "-c", f"{shlex.join(copy)} && sync {shlex.quote(str(out))}"]
    yield Case(f"graft of {gigabytes}", graft, kept, "cp and sync", None, None, 1.3)


def rows(models: Path, folder: Path, pairs: int, gigabytes: float, only: str = "") -> Iterator[Row]:
    """All figures, as they come, or those of cases with ``only`` in their name.

    ``gigabytes``: size of the large model.
    """
    giant, out = folder / "giant.tflite", folder / "out.tflite"
    subprocess.run([sys.executable, MAKER, giant, str(int(gigabytes * 1e9))], check=True)
    for case in cases(models, giant, out):
        if only not in case.name:
            continue
        got = paired(case.ours, case.peer, pairs, lambda: out.unlink(missing_ok=True))
        yield from _rows(case, got)


def _rows(case: Case, got: Paired) -> Iterator[Row]:
    """The ratio, with the target of time if there is one, and the memory.

    A copy waits for the disk, so it is held against ``cp`` by the clock.
    """
    ours, peer, ratio = got.ours.computing, got.anchor.computing, got.ratio
    if case.ratio is not None:
        ours, peer, ratio = got.ours.seconds, got.anchor.seconds, got.clock
        target, met = f"<= {case.ratio:g}", ratio <= case.ratio
    else:
        target, met = f"<= {case.seconds:g} s", ours <= (case.seconds or 0)
    name = f"{case.name} / {case.against}"
    yield Row(name, f"{ours:.3f} s", f"{peer:.3f} s", ratio, target, met)
    if case.megabytes is not None:
        ratio = got.ours.megabytes / got.anchor.megabytes
        yield Row(
            f"{case.name}, memory of the largest process", f"{got.ours.megabytes:.0f} MB",
            f"{got.anchor.megabytes:.0f} MB", ratio, f"<= {case.megabytes:g} MB",
            got.ours.megabytes <= case.megabytes,
        )  # fmt: skip
