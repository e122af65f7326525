"""How long fix takes, as a whole process, beside copying the file that it writes.

    python benchmarks/speed.py [--pairs 7]

Runs alternate, A B A B; what is printed are medians and the median of the ratios of neighbours, so
that a slow moment of the machine meets both. Reading is in bench_read.py.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from build import Build, save_npz


def wide(variables: int, size: int) -> tuple[bytes, dict[str, np.ndarray]]:
    build = Build()
    sub = build.sub("infer", "infer")
    values = {}
    for index in range(variables):
        value = sub.read(sub.handle(f"v{index}"), (size,))
        values[f"v{index}"] = np.full(size, index, np.float32)
    sub.output(value)
    return build.bytes(), values


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def pair(name: str, ours: list[str], peer_name: str, peer: list[str], pairs: int) -> None:
    seconds(ours), seconds(peer)
    rows = [(seconds(ours), seconds(peer)) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in rows)
    mine = statistics.median(a for a, _ in rows)
    theirs = statistics.median(b for _, b in rows)
    print(f"{name}: {mine:.2f} s; {peer_name}: {theirs:.2f} s; ratio {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    tool = [sys.executable, "-m", "tflrepair"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, values = wide(200, 250_000)
        (folder / "wide.tflite").write_bytes(data)
        save_npz(folder / "wide.npz", values)
        out = str(folder / "wide.fixed.tflite")
        fix = [*tool, "fix", str(folder / "wide.tflite"), "-w", str(folder / "wide.npz"), "--force"]
        subprocess.run(fix, stdout=subprocess.DEVNULL, check=True)
        copy = f"import shutil; shutil.copy({out!r}, {out + '.copy'!r})"
        pair("fix, 200 MB in 200 variables", fix, "copying the result",
             [sys.executable, "-c", copy], pairs)  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
