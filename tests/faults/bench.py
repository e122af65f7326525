"""A folder with a broken model and its weights, runs of the command line in it, what they leave."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tflrepair" / "samples"
MODEL, WEIGHTS, OUT = "broken.tflite", "classifier.weights.h5", "out.tflite"
FIX = ("fix", MODEL, "--weights", WEIGHTS, "--set", "adam/learning_rate=0.001")
# the command line, and the same on a system whose files must have names
PLAIN = (sys.executable, "-m", "tflrepair")
NAMED = (
    sys.executable,
    "-c",
    "import os; del os.O_TMPFILE; from tflrepair.__main__ import main; main()",
)


@dataclass
class Line:
    """A row of the table: what was done how often, and what went wrong."""

    name: str
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    note: str = ""

    def count(self, good: bool, what: str) -> None:
        self.runs += 1
        if not good:
            self.wrong.append(what)


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code (negative: a signal), its streams, seconds, peak memory in MB."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def ours(self) -> bool:
        """An exit code of the manual, and no traceback."""
        return self.code in (0, 1, 2, 129, 130, 143) and "Traceback" not in self.err


class Bench:
    """``folder`` has the files, ``temporary`` is TMPDIR; both are watched for leftovers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.temporary = folder / "tmp"
        self.folder.mkdir()
        self.temporary.mkdir()
        for name in (MODEL, WEIGHTS, "input.npz", "expected.npz"):
            shutil.copy(SAMPLES / name, self.folder)

    @property
    def environment(self) -> dict[str, str]:
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "TMPDIR": str(self.temporary), "PYTHONPATH": paths}

    def start(
        self, arguments: Sequence[str], command: Sequence[str] = PLAIN, **options: object
    ) -> subprocess.Popen[bytes]:
        standard = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": self.environment}
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [*command, *arguments], cwd=self.folder, **{**standard, **options}
        )

    def run(
        self, arguments: Sequence[str], command: Sequence[str] = PLAIN, **options: object
    ) -> Ended:
        """A run to its end; more than 120 s is a failure of the bench."""
        begin = time.monotonic()
        with self.start(arguments, command, **options) as process:
            out, err = process.communicate(timeout=120)
        _, status, usage = 0, process.returncode, _children_peak()
        return Ended(
            status,
            (out or b"").decode(errors="replace"),
            (err or b"").decode(errors="replace"),
            time.monotonic() - begin,
            usage,
        )

    def leftovers(self) -> list[str]:
        """Temporary names in the working folder and in TMPDIR."""
        parts = [p.name for p in self.folder.iterdir() if p.name.startswith(".tflrepair-")]
        return parts + [p.name for p in self.temporary.iterdir()]

    def orphans(self, patience: float = 3.0) -> list[int]:
        """Processes that still work for this bench, some time after the last one was ended."""
        until = time.monotonic() + patience
        while (found := _processes(str(self.temporary))) and time.monotonic() < until:
            time.sleep(0.05)
        return found


def _children_peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _processes(mark: str) -> list[int]:
    """Processes whose environment has ``mark`` (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench that goes with the block."""
    folder = Path(mkdtemp(prefix="faults-"))
    try:
        yield Bench(folder)
    finally:
        for number in _processes(str(folder)):
            os.kill(number, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


Case = Callable[[], Line]
