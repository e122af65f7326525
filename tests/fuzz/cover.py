"""How much of what reads files a campaign reaches: lines and branches, room by room.

    pip install 'tflrepair[fuzz]'; cd tests && python -m fuzz.cover SECONDS [MISSING]

SECONDS of processor time for each target, in this process and without limits. With MISSING, a room,
the lines of it that nothing has reached are printed.
"""

from __future__ import annotations

import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import coverage

from fuzz.targets import Target, all_targets
from tflrepair.errors import TflRepairError

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("scan", "fix", "plan", "tflite weights", "npz", "keras", "map")
ROOMS = (
    "structure", "format", "graph", "analysis", "checks", "views", "passes/graft", "passes/freeze",
    "rewrite", "weights/readers", "weights/matching", "report",
)  # fmt: skip


def campaign(target: Target, seconds: float, folder: Path) -> int:
    """Mutants of ``target`` that were run in ``seconds``."""
    rng, names, count = random.Random(5), sorted(target.files), 0
    end = time.process_time() + seconds
    for name in names:
        with suppress(TflRepairError):
            target.run(target.files[name], folder, name)
    while time.process_time() < end:
        name = rng.choice(names)
        with suppress(TflRepairError):
            target.run(target.change(rng, target.files[name]), folder, name)
        count += 1
    return count


def report(measured: coverage.Coverage, room: str) -> str:
    """A row of the table: lines and branches that were run, of how many."""
    lines = branches = run_lines = run_branches = 0
    for path in (ROOT / "tflrepair" / room).rglob("*.py"):
        numbers = measured._analyze(str(path)).numbers
        lines += numbers.n_statements
        run_lines += numbers.n_executed
        branches += numbers.n_branches
        run_branches += numbers.n_executed_branches
    share = f"{100 * run_lines / lines:.0f} %", f"{100 * run_branches / max(branches, 1):.0f} %"
    return f"| `{room}/` | {lines} | {share[0]} | {branches} | {share[1]} |"


def main(arguments: list[str]) -> int:
    seconds = float(arguments[0])
    measured = coverage.Coverage(branch=True, source=[str(ROOT / "tflrepair")], data_file=None)
    measured.start()
    targets = all_targets()
    with TemporaryDirectory() as folder:
        for name in TARGETS:
            count = campaign(targets[name], seconds, Path(folder))
            print(f"{name}: {count} executions", flush=True)
    measured.stop()
    print("| room | lines | reached | branches | reached |\n" + "|---" * 5 + "|")
    for room in ROOMS:
        print(report(measured, room))
    for room in arguments[1:]:
        for path in sorted((ROOT / "tflrepair" / room).rglob("*.py")):
            missing = measured.analysis2(str(path))[4]
            if missing:
                print(f"{path.relative_to(ROOT)}: {missing}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
