"""``make large``: scan and fix of each giant, with time and peak memory, and what LiteRT says.

    cd tests && python -m giants.run [PART OF A NAME]

Needs some 15 GB of disk for a while. Exit code 1 if anything is not as promised.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from giants.make import GIANTS

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cost:
    """What a command took: ``cpu`` is user and system time, children included."""

    code: int
    seconds: float
    cpu: float
    megabytes: float
    out: str


def spent() -> float:
    """Processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*arguments: str) -> Cost:
    """The command line; peak memory is that of its own process, children apart."""
    begin, before = time.monotonic(), spent()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", _PEAK, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
    ) as process:  # fmt: skip
        out, _ = process.communicate()
    text, _, peak = out.rpartition("PEAK ")
    seconds, cpu = time.monotonic() - begin, spent() - before
    return Cost(process.returncode, seconds, cpu, float(peak or 0) / 1024, text)


# VmHWM counts mapped pages, too: what a user sees in top
_PEAK = """
import atexit, re, sys
from tflrepair.cli import main
def peak():
    found = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
    print("PEAK", found[1])
atexit.register(peak)
main()
"""


def copying(path: Path) -> tuple[float, float]:
    """Seconds, and those of the processor, that cp takes for the file, every byte written."""
    begin, before = time.monotonic(), spent()
    target = path.with_name("copy")
    subprocess.run(["cp", "--sparse=never", "--reflink=never", path, target], check=True)
    subprocess.run(["sync", target], check=True)  # as fix does, and by a child, which is counted
    took = time.monotonic() - begin, spent() - before
    target.unlink()
    return took


def writing(model: Path, options: tuple[str, ...], out: Path) -> tuple[str, str]:
    """What fix without a run takes for each second of cp, by the clock and by the processor.

    One after the other, three times; the smallest ratio, as anything else on the machine adds.
    """
    clock, cpu = [], []
    for _ in range(3):
        out.unlink(missing_ok=True)
        fixed = run("fix", str(model), *options, "--no-run", "-o", str(out))
        seconds, processor = copying(out)
        clock.append(fixed.seconds / seconds)
        cpu.append(fixed.cpu / processor)
    return f"{min(clock):.2f}", f"{min(cpu):.2f}"


def line(name: str, folder: Path) -> tuple[str, bool]:
    make, options = GIANTS[name]
    model, out = folder / "model.tflite", folder / "out.tflite"
    make(model)
    size = model.stat().st_size
    scan = run("scan", str(model))
    fixed = run("fix", str(model), *options, "-o", str(out))
    again = run("scan", str(out)).code if out.exists() else -1
    verdict = fixed.out.strip().splitlines()[-1][:60] if fixed.out.strip() else ""
    good = scan.code in (0, 1) and again == 0 and fixed.code == 0
    allowed = GRAPHS.get(name, 0) / 1000
    good = good and scan.megabytes < 120 + allowed and fixed.megabytes < 300 + allowed
    ratios = ("", "")
    if out.exists() and out.stat().st_size > 1 << 28:
        ratios = writing(model, options, out)
        good = good and (name not in COPIED or min(map(float, ratios)) < 1.3)
    row = (
        name, f"{size / 1e6:.1f}", f"{scan.cpu:.1f}", f"{scan.megabytes:.0f}",
        f"{fixed.cpu:.1f}", f"{fixed.megabytes:.0f}", *ratios, verdict,
    )  # fmt: skip
    return "| " + " | ".join(row) + " |", good


# the copying that is promised to take what cp takes; values that are made, and room that must be
# made first, come on top in other rows
COPIED = ("3 GB of constants", "6 GB of constants")
# tables of large graphs are objects in memory while they are analysed: KB allowed for each graph
GRAPHS = {"100,000 operators": 400_000, "10,000 variables": 200_000, "500 subgraphs": 100_000}


def main() -> int:
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    print(
        "| giant | MB | scan, CPU s | scan, MB | fix, CPU s | fix, MB | writing / cp, clock "
        "| writing / cp, CPU | |\n" + "|---" * 9 + "|"
    )
    bad = 0
    for name in GIANTS:
        if part not in name:
            continue
        with TemporaryDirectory(prefix="giants-") as folder:
            text, good = line(name, Path(folder))
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir()
        print(text + ("" if good else " NOT AS PROMISED"), flush=True)
        bad += not good
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
