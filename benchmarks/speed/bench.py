"""``make bench``: time and memory against anchors that are measured in the same run.

    python benchmarks/speed/bench.py [--pairs 10] [--gigabytes 2] [--short] [--write | --check]

Prints a table with each target. ``--write`` records it in benchmarks/results.md and results.json,
and where the time goes. ``--check`` is for CI: it ends with 1 if a ratio is more than 30 % behind
the recorded one. ``--short`` measures reading only, which takes no TensorFlow and a minute. Ratios
compare two things in one run, so they carry over from one machine to another, as seconds do not;
a case that is behind counts if it still is when it is measured twice more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bench_cases import reported, rows
from bench_infer import rows as infer_rows
from bench_read import Row
from bench_read import rows as reading_rows
from bench_where import where

HERE = Path(__file__).resolve().parent
RECORD, REPORT = HERE / "results.json", HERE.parent / "results.md"
SLACK = 1.3
_AGAIN = 2  # times that what is behind is measured once more: it must be behind each time

HEAD = """\
| what | ours | peer | ratio | target | |
| --- | ---: | ---: | ---: | ---: | --- |"""


def line(row: Row) -> str:
    """A row of the table."""
    state = "met" if row.met else "missed"
    return f"| {row.name} | {row.ours} | {row.peer} | {row.ratio:.3f} | {row.target} | {state} |"


def measure(pairs: int, gigabytes: float, short: bool = False, only: str = "") -> list[Row]:
    """All rows, each printed when it is there; with ``only``, the written files of that name."""
    print(HEAD, flush=True)
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for row in _short(pairs) if short else _all(Path(folder), pairs, gigabytes, only):
            print(line(row), flush=True)
            found.append(row)
    return found


def _short(pairs: int) -> Iterator[Row]:
    """What compares whole processes, in seconds of the processor: that varies least."""
    yield from _made(pairs)
    yield from (row for row in reading_rows(None, pairs, "giant") if _is_ratio(row))


def _made(pairs: int) -> Iterator[Row]:
    """Starting with a model like the reported one that takes no TensorFlow to make."""
    for row in reading_rows(None, pairs, "start"):
        if _is_ratio(row):
            yield replace(row, name=row.name.replace("scan,", "scan of a made model,"))


def _all(folder: Path, pairs: int, gigabytes: float, only: str) -> Iterator[Row]:
    models = reported()
    # reading in this process comes last: what it loads is not to slow down the others
    yield from rows(models, folder, pairs, gigabytes, only)
    if only:
        return
    yield from infer_rows(models, folder)
    yield from reading_rows(models / "model.tflite", pairs)
    yield from _made(pairs)


def _is_ratio(row: Row) -> bool:
    return bool(row.peer) and " / " in row.name


def behind(found: Sequence[Row], recorded: dict[str, float]) -> list[str]:
    """Names of the cases whose ratio is more than 30 % above the recorded one.

    Rows without a peer are no ratios: they depend on the machine. Nor do megabytes of ours and of
    another program, or milliseconds of ours and a process, which are shown side by side only.
    """
    return [
        row.name
        for row in found
        if _is_ratio(row) and row.ratio > SLACK * recorded.get(row.name, row.ratio)
    ]


def recorded() -> list[Row]:
    """The rows of the last record."""
    if not RECORD.exists():
        return []
    return [Row(**row) for row in json.loads(RECORD.read_text(encoding="utf-8"))]


def write(found: Sequence[Row], pairs: int, some: bool) -> None:
    """Record the run, and profile what misses its target. Of ``some`` rows: others stay."""
    if some:
        known = {row.name: row for row in recorded()} | {row.name: row for row in found}
        found = list(known.values())
    text = json.dumps([asdict(row) for row in found], indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")
    head = (
        "# Time and memory\n\nMade by `make bench RECORD=1`. Do not edit.\n\n"
        "Ours and its peer run in turn. All seconds are of the processor (user and system, child "
        "processes included), which other programs on the machine disturb least; only against `cp` "
        "it is the clock. Medians of "
        f"{pairs} pairs (of at most 5 for 100,000 operators and for growth), and the median of "
        "their ratios. Memory is that of the largest process (LiteRT and HDF5 have their own).\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}; Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}.\n\n"
    )
    table = "\n".join([HEAD, *map(line, found)])
    missed = [row.name for row in found if not row.met]
    lines = "\n".join(where(reported(), missed))
    REPORT.write_text(f"{head}{table}\n\n{lines}\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--short", action="store_true", help="reading only; under a minute")
    parser.add_argument("--only", default="", help="graft, optimize, ...: these written files")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="record the results")
    what.add_argument("--check", action="store_true", help="fail if behind the recorded results")
    options = parser.parse_args()
    if options.check and not RECORD.exists():
        print(f"nothing is recorded in {RECORD}; run with --write first", file=sys.stderr)
        return 2
    found = measure(options.pairs, options.gigabytes, options.short, options.only)
    if options.write:
        write(found, options.pairs, some=options.short or bool(options.only))
    if not options.check:
        return 0
    known = {row.name: row.ratio for row in recorded()}
    late = behind(found, known)
    for _ in range(_AGAIN):
        if not late:
            break
        print(f"\nmeasured once more: {', '.join(late)} were behind", flush=True)
        again = measure(options.pairs, options.gigabytes, options.short)
        late = sorted(set(late) & set(behind(again, known)))
    for name in late:
        print(f"{name}: more than 30 % behind its recorded ratio of {known[name]:.3f}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
