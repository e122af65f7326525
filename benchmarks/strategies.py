"""Every way to repair a model, side by side: size, speed, time taken, distance from the answer.

    python benchmarks/strategies.py [--suite DIR] [--once] [NAME...]

writes benchmarks/strategies.md. The models are the reported one and the small one of tests/makers;
--suite adds those that `python benchmarks/matching_make.py DIR NAME...` has made in DIR.

Latency is paired: one child process holds an interpreter of each file, one thread each, and runs
`infer` on all of them in turn, 30 rounds. The time is that of the whole process `tflrepair fix`,
checks and trial runs included, the best of three where it is short (not with --once); for the
conversion by hand, that of a process that loads the SavedModel, saves it again and converts it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".md")
ROUNDS = 30
BY_HAND = "SavedModel loaded, saved again, converted"
TRUTH = "truth.npz"  # every variable's value under the model's own name for it
SHORT = 15.0  # seconds; what takes longer is timed once

STRATEGIES = {
    "graft": ["--strategy", "graft"],
    "graft --freeze": ["--strategy", "graft", "--freeze"],
    "optimize": ["--strategy", "optimize"],
    "rebuild --saved-model": ["--strategy", "rebuild", "--saved-model"],
    "rebuild (from the .tflite)": ["--strategy", "rebuild"],
}


@dataclass(frozen=True)
class Case:
    """A folder with model.tflite, saved_model and io.npz (x, and the eager answer)."""

    name: str
    folder: Path
    weights: str
    sets: tuple[str, ...] = ()
    once: bool = False


@dataclass
class Row:
    """One way; ``seconds`` None for the broken file itself, ``error`` where it did not work."""

    way: str
    path: Path
    seconds: float | None = None
    error: str = ""
    measured: dict[str, Any] = field(default_factory=dict)


def cases(suite: Path | None, names: list[str]) -> list[Case]:
    sys.path.insert(0, str(ROOT / "tests"))
    from conftest import made

    known = {
        "reported": ("new_model.weights.h5", "adam/learning_rate=1e-4"),
        "small": ("classifier.weights.h5", "adam/learning_rate=1e-3"),
    }
    found = [
        Case(name, made(name), weights, (rate,))
        for name, (weights, rate) in known.items()
        if not names or name in names
    ]
    for folder in sorted(suite.iterdir()) if suite else ():
        if (folder / "model.tflite").exists() and (not names or folder.name in names):
            found.append(Case(folder.name, folder, weights_of(folder), rates(folder / TRUTH)))
    return found


def weights_of(folder: Path) -> str:
    """The .npz of true values; the SavedModel where there is none, or under other names."""
    if not (folder / TRUTH).exists():
        return "saved_model"
    command = [sys.executable, "-m", "tflrepair", "fix", str(folder / "model.tflite"), "--dry-run"]
    command += ["--weights", str(folder / TRUTH)]
    for setting in rates(folder / TRUTH):
        command += ["--set", setting]
    fits = subprocess.run(command, capture_output=True, check=False).returncode == 0
    return TRUTH if fits else "saved_model"


def rates(path: Path) -> tuple[str, ...]:
    """--set options for the learning rates, which are asked for however they are given."""
    import numpy as np

    if not path.exists():
        return ()

    with np.load(path) as truth:
        names = [name for name in truth.files if name.endswith("learning_rate")]
        return tuple(f"{name}={float(truth[name]):.9g}" for name in names)


def timed(command: list[str], out: Path) -> tuple[float, str]:
    """(wall seconds, what went wrong) of a whole process that is to write ``out``."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    quiet["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    start = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, **quiet}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if out.exists():  # also with exit code 1: repaired, and something is left to look at
        return seconds, ""
    lines = [line for line in done.stderr.splitlines() if "rror" in line or "tflrepair:" in line]
    return seconds, lines[0][:160] if lines else f"exit code {done.returncode}"


def repaired(case: Case, way: str, out: Path) -> Row:
    row = Row(way, out)
    if way == BY_HAND:
        script = ROOT / "tests" / "passes" / "peer.py"
        command = [sys.executable, str(script), str(case.folder / "saved_model"), str(out), "1"]
    else:
        command = [sys.executable, "-m", "tflrepair", "fix", str(case.folder / "model.tflite")]
        command += ["--weights", str(case.folder / case.weights), "-o", str(out), "--force"]
        for setting in case.sets:
            command += ["--set", setting]
        command += STRATEGIES[way]
        if way.endswith("--saved-model"):
            command.append(str(case.folder / "saved_model"))
    row.seconds, row.error = timed(command, out)
    if not row.error and row.seconds < SHORT and not case.once:
        row.seconds = min(row.seconds, *(timed(command, out)[0] for _ in range(2)))
    return row


def compare(case: Case, work: Path) -> list[Row]:
    rows = [Row("broken", case.folder / "model.tflite")]
    for number, way in enumerate([BY_HAND, *STRATEGIES]):
        rows.append(repaired(case, way, work / f"{case.name}-{number}.tflite"))
        print(f"{case.name}: {way}: {rows[-1].error or f'{rows[-1].seconds:.1f} s'}", flush=True)
    good = [row for row in rows if not row.error]
    job = {"files": [str(row.path) for row in good], "io": str(case.folder / "io.npz")}
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, __file__, "--measure", str(work / "job.json")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for row, measured in zip(good, json.loads(done.stdout.splitlines()[-1]), strict=True):
        row.measured = measured
    return rows


def measure(job: Path) -> None:
    """Print [{"times": [ms...], "difference": text}] for the files of a job."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    plan = json.loads(job.read_text(encoding="utf-8"))
    io = np.load(plan["io"])
    x, want = io["x"], io["output"] if "output" in io else io["y"]
    interpreters = [Interpreter(model_path=path, num_threads=1) for path in plan["files"]]
    runners = [interpreter.get_signature_runner("infer") for interpreter in interpreters]
    ((name, details),) = runners[0].get_input_details().items()
    size = max(1, int(details["shape_signature"][0]))  # 1 where the batch is open
    batches = [x[start : start + size] for start in range(0, len(x), size)]
    differences: list[str] = []
    for runner in runners:
        try:
            answers = [next(iter(runner(**{name: batch}).values())) for batch in batches]
        except RuntimeError:  # the broken file: a variable without a value, read inside WHILE
            differences.append("error")
            continue
        largest = float(np.abs(np.concatenate(answers).reshape(want.shape) - want).max())
        differences.append(f"{largest:.1e}" if np.isfinite(largest) else "NaN")
    times: list[list[float]] = [[] for _ in runners]
    for _ in range(ROUNDS):
        for runner, row, off in zip(runners, times, differences, strict=True):
            if off == "error":
                row.append(float("nan"))
                continue
            start = time.perf_counter()
            runner(**{name: batches[0]})
            row.append(1000 * (time.perf_counter() - start))
    rows = zip(times, differences, strict=True)
    print(json.dumps([{"times": times, "difference": off} for times, off in rows]))


def table(case: Case, rows: list[Row]) -> list[str]:
    by_hand = next((row.measured for row in rows if row.way == BY_HAND), {})
    lines = [
        f"## {case.name}",
        "",
        "| way | size, MB | `infer`, ms | against by hand | time, s | difference |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        if row.error:
            lines.append(f"| {row.way} | | | | {row.seconds:.1f} | {row.error} |")
            continue
        times, off = row.measured["times"], row.measured["difference"]
        ratio = ""
        if by_hand:
            pairs = zip(times, by_hand["times"], strict=True)
            ratio = f"{statistics.median(a / b for a, b in pairs):.2f}"
        size = row.path.stat().st_size / 1e6
        cells = [
            row.way,
            f"{size:.2f}" if size >= 1 else f"{size:.3f}",
            f"{statistics.median(times):.3g}",
            ratio,
            "" if row.seconds is None else f"{row.seconds:.1f}",
            off,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def header() -> list[str]:
    names = ["tensorflow", "ai-edge-litert", "litert-converter"]
    versions = []
    for name in names:
        for wheel in (name, f"{name}-cpu"):
            try:
                versions.append(f"{name} {version(wheel)}")
                break
            except ImportError:
                continue
    text = (__doc__ or "").split("\n\n")
    return [
        "# Strategies",
        "",
        "Made by `python benchmarks/strategies.py`; do not edit.",
        "",
        text[-1].strip(),
        "",
        "*difference*: the largest distance of `infer`'s answers from those of the Python model, "
        "on the inputs of io.npz. *against by hand*: the median of the 30 paired ratios.",
        "",
        f"{'; '.join(versions)}; Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these models")
    parser.add_argument("--suite", type=Path, help="folder that matching_make.py filled")
    parser.add_argument("--once", action="store_true", help="time each way once")
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    lines = header()
    with tempfile.TemporaryDirectory() as work:
        for case in cases(options.suite, options.names):
            case = replace(case, once=options.once)
            lines += table(case, compare(case, Path(work)))
    options.out.write_text("\n".join(lines), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    main()
