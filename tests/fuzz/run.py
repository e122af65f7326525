"""``make fuzz MINUTES=n``: every target in turn, each in child processes with limits; a table.

    cd tests && python -m fuzz.run MINUTES [SEED]

Exit code 1 if anything was found. The cases are in .cache/fuzz/TARGET.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from fuzz import covered, waiting
from fuzz.targets import all_targets

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".cache" / "fuzz"
# Shares of the time: the ways in that strangers' files take most.
_SHARES = {"scan": 4, "fix": 2, "h5": 2}


@dataclass
class Line:
    """A row of the table; ``seconds`` are of processor time."""

    target: str
    executions: int = 0
    seconds: float = 0.0
    finds: list[str] = field(default_factory=list)
    lines: covered.Lines = field(default_factory=dict)

    @property
    def coverage(self) -> str:
        """Statements reached in the files that it reached."""
        reached, whole = covered.share(self.lines)
        return f"{reached} of {whole}"


def run(target: str, seed: int, seconds: float) -> Line:
    """Fuzz one target; a child that dies is a find, and another one goes on."""
    folder = FOLDER / target.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    line, began, spent = Line(target), time.monotonic(), _spent()
    while (left := seconds - (time.monotonic() - began)) > 0 and len(line.finds) < 20:
        command = [sys.executable, "-m", "fuzz.worker", target, str(seed), str(left), str(folder)]
        done = waiting.ended(command, ROOT / "tests")
        if done.returncode == 0:
            result = json.loads(done.stdout.splitlines()[-1])
            line.executions += result["executions"]
            line.finds += result["finds"]
            for name, numbers in result["lines"].items():
                line.lines.setdefault(name, set()).update(numbers)
        else:
            case = folder / f"dead-{seed}"
            case.write_bytes((folder / "current").read_bytes())
            line.finds.append(f"ends with {done.returncode}: {_why(done.stderr)} ({case.name})")
        seed += 1000
    line.seconds = _spent() - spent
    return line


def _spent() -> float:
    """Seconds of processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _why(told: str) -> str:
    """The last words; of one that hung, the innermost lines of the package."""
    frames = [row.strip() for row in told.splitlines() if "/tflrepair/" in row]
    return f"it hangs at {frames[:3]}" if told.startswith("it hangs") else told[-300:]


def run_guided(seconds: float) -> Line:
    """``scan`` guided by coverage; its row of the table."""
    command = [sys.executable, "-m", "fuzz.guided", "scan", str(seconds), str(FOLDER / "guided")]
    cwd = ROOT / "tests"
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    line = Line("scan, guided", result["executions"], seconds, result["finds"])
    print(_row(line, f"{result['edges']} edges"))
    for find in line.finds:
        print(f"    {find}")
    return line


def _row(line: Line, reached: str) -> str:
    name, count, seconds = line.target, line.executions, line.seconds
    return f"{name:16} {count:10} {seconds:6.0f} {len(line.finds):6}  {reached}"


def main(arguments: list[str]) -> int:
    minutes, seed = float(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    names = list(all_targets())
    share = 0.75 if find_spec("atheris") else 1.0
    total = sum(_SHARES.get(name, 1) for name in names)
    lines = []
    print(f"{'target':16} {'executions':>10} {'CPU s':>6} {'finds':>6}  lines")
    for number, name in enumerate(names):
        line = run(name, seed + number, minutes * 60 * share * _SHARES.get(name, 1) / total)
        print(_row(line, line.coverage), flush=True)
        for find in line.finds:
            print(f"    {find}")
        lines.append(line)
    guided = run_guided(minutes * 60 / 4) if find_spec("atheris") else None
    if guided is None:
        print("atheris is not installed: nothing is guided by coverage")
    else:
        lines.append(guided)
    whole = Line("all")
    for line in lines:
        whole.executions += line.executions
        whole.seconds += line.seconds
        whole.finds += line.finds
        for name, numbers in line.lines.items():
            whole.lines.setdefault(name, set()).update(numbers)
    print(_row(whole, whole.coverage))
    return int(bool(whole.finds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
