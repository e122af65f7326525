"""``make plots``: cost against size over four decades, as docs/cost.svg and docs/cost.md.

    python benchmarks/speed/plots.py [--gigabytes 2] [--data benchmarks/speed/cost.json]

Scan of 10 to 100,000 operators, and a graft over a constant of 1 MB to 2 GB:
seconds of the processor, the least of three, and the memory of the largest process. With
``--data`` nothing is measured: the figures of that file are drawn.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_cases import MAKER
from bench_measure import Cost, cost, tool
from bench_models import ROOT

DATA = Path(__file__).with_name("cost.json")
DOCS = ROOT / "docs"
WIDTH, HEIGHT, LEFT, BOTTOM = 420, 300, 56, 44

# what -> [(size, seconds, megabytes)]
Figures = dict[str, list[tuple[float, float, float]]]


def measure(gigabytes: float) -> Figures:
    """All figures, each printed when it is there."""
    found: Figures = {"operators": [], "bytes": []}
    with tempfile.TemporaryDirectory(prefix="plots-") as name:
        model, out = Path(name) / "model.tflite", Path(name) / "out.tflite"
        for count in (10, 100, 1_000, 10_000, 100_000):
            subprocess.run([sys.executable, MAKER, "operators", model, str(count)], check=True)
            found["operators"].append(_row(count, [cost(tool("scan", model)) for _ in range(3)]))
        for size in (1e6, 1e7, 1e8, gigabytes * 1e9):
            subprocess.run([sys.executable, MAKER, model, str(int(size))], check=True)
            runs = []
            for _ in range(3 if size < 1e9 else 1):
                out.unlink(missing_ok=True)
                runs.append(cost(tool("fix", model, "--set", "v=1", "--no-run", "-o", out)))
            found["bytes"].append(_row(size, runs))
    return found


def _row(size: float, runs: list[Cost]) -> tuple[float, float, float]:
    row = size, min(r.computing for r in runs), max(r.megabytes for r in runs)
    print(f"{row[0]:>13,.0f} {row[1]:8.3f} s {row[2]:7.1f} MB", flush=True)
    return row


def draw(figures: Figures) -> str:
    """Four panels: time above, memory below; both axes count in powers of ten."""
    wide, high = 2 * WIDTH, 2 * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
    ]
    titles = {"operators": "scan: operators", "bytes": "graft: bytes of the model"}
    for column, (kind, title) in enumerate(titles.items()):
        for row, (place, unit, axis) in enumerate(((1, "s", (-1, 1)), (2, "MB", (1, 3)))):
            points = [(row_[0], row_[place]) for row_ in figures[kind]]
            decades = _decades([size for size, _ in points])
            parts.append(f'<g transform="translate({column * WIDTH},{row * HEIGHT})">')
            parts += _panel(points, decades, axis, f"{title}, {unit}")
            parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _decades(sizes: list[float]) -> tuple[int, int]:
    low = len(str(int(min(sizes)))) - 1
    return low, len(str(int(max(sizes)) - 1))


def _panel(
    points: list[tuple[float, float]], across: tuple[int, int], up: tuple[int, int], title: str
) -> list[str]:
    from math import log10

    right, top = WIDTH - 16, 28
    bottom = HEIGHT - BOTTOM

    def x(value: float) -> float:
        return LEFT + (log10(value) - across[0]) / (across[1] - across[0]) * (right - LEFT)

    def y(value: float) -> float:
        share = (log10(value) - up[0]) / (up[1] - up[0])
        return bottom - min(1.0, max(0.0, share)) * (bottom - top)

    lines = [f'<text x="{LEFT}" y="16">{title}</text>']
    for power in range(across[0], across[1] + 1):
        at = x(10**power)
        lines.append(f'<path d="M{at:.0f} {top}V{bottom}" stroke="#ddd"/>')
        lines.append(f'<text x="{at:.0f}" y="{bottom + 16}" text-anchor="middle">1e{power}</text>')
    for power in range(up[0], up[1] + 1):
        at = y(10**power)
        lines.append(f'<path d="M{LEFT} {at:.0f}H{right}" stroke="#ddd"/>')
        lines.append(
            f'<text x="{LEFT - 6}" y="{at + 4:.0f}" text-anchor="end">{10.0**power:g}</text>'
        )
    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    lines.append(f'<polyline points="{path}" fill="none" stroke="#06c" stroke-width="2"/>')
    lines += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="#06c"/>' for a, b in points]
    return lines


def page(figures: Figures) -> str:
    """docs/cost.md."""
    rows = ["| operators | s | MB |", "| ---: | ---: | ---: |"]
    rows += [f"| {n:,.0f} | {s:.3f} | {m:.0f} |" for n, s, m in figures["operators"]]
    rows += ["", "| bytes | s | MB |", "| ---: | ---: | ---: |"]
    rows += [f"| {n:,.0f} | {s:.3f} | {m:.0f} |" for n, s, m in figures["bytes"]]
    return (
        "# Cost against size\n\nMade by `make plots`. Do not edit.\n\n"
        "Whole processes: seconds of the processor (the least of three runs; one of the largest "
        "model), and the memory of the largest process. Up to some thousand operators it is the "
        "start that costs. A graft has the kernel copy the old file, so size costs no memory.\n\n"
        "![Time and memory of scan and graft against size](cost.svg)\n\n" + "\n".join(rows) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--data", type=Path, help="draw these figures and measure nothing")
    options = parser.parse_args()
    if options.data:
        figures: Figures = json.loads(options.data.read_text(encoding="utf-8"))
    else:
        figures = measure(options.gigabytes)
        DATA.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (DOCS / "cost.svg").write_text(draw(figures), encoding="utf-8")
    (DOCS / "cost.md").write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
