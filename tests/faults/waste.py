"""Commands on files that amplify: processor time, memory and the answer of each.

    cd tests && python -m faults.waste [NAME...]

Each ends within 2 s of processor time and 200 MB, children included; on a busy machine, where
processor time counts for less, within five times what the sample takes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sources.rogue import KINDS, rogue

from faults import amplify, amplify_more
from faults.bench import MODEL, PLAIN, Bench, Line, bench

SECONDS, MEGABYTES = 2.0, 200.0
_STOPPED = 30  # seconds of processor time
AUDIT = (
    sys.executable,
    "-c",
    "import json, sys; from tflrepair.audit.scanner import Scanner;"
    "audit = Scanner((), (), False, 60); rows = audit.rows(sys.argv[1]); audit.close();"
    "print(rows[0]['error'] or 'read'); sys.exit(2 if rows[0]['error'] else not rows[0]['ok'])",
)


@dataclass(frozen=True)
class Spent:
    """What one command took, and how it ended."""

    command: str
    size: int
    seconds: float
    megabytes: float
    code: int
    said: str
    allowed: float = SECONDS

    @property
    def good(self) -> bool:
        little = self.seconds < self.allowed and self.megabytes < MEGABYTES
        return little and self.code in (0, 1, 2) and "Traceback" not in self.said


def main(names: list[str]) -> int:
    print("| file and command | bytes | CPU s | MB | exit | says |\n|---|---|---|---|---|---|")
    bad = 0
    for row in spent(names):
        said = row.said.strip().splitlines()[-1:] or [""]
        cells = (row.command, row.size, f"{row.seconds:.1f}", f"{row.megabytes:.0f}", row.code)
        end = said[0].replace("|", "/")[:90]
        print("| " + " | ".join(map(str, cells)) + f" | {end} |{'' if row.good else ' (!)'}")
        sys.stdout.flush()
        bad += not row.good
    return int(bool(bad))


def line() -> Line:
    """All of them as a row of the table of ``make faults``."""
    found = Line("files that amplify")
    rows = list(spent([]))
    for row in rows:
        what = f"{row.command}: {row.seconds:.1f} s {row.megabytes:.0f} MB {row.said[-300:]!r}"
        found.count(row.good, what)
    slowest, largest = max(r.seconds for r in rows), max(r.megabytes for r in rows)
    found.note = f"the most: {slowest:.1f} s of processor time, {largest:.0f} MB"
    return found


def servers() -> Line:
    """A scan of each model on a server that means harm, but those that only are slow."""
    found = Line("servers that mean harm")
    most = ("", 0.0)
    with bench() as place:
        quick = _run(place, place.folder / MODEL, ["scan", MODEL], SECONDS).seconds
        for kind in KINDS:
            with rogue(kind) as address:
                words = ["scan", address]
                row = _run(place, place.folder / MODEL, words, max(SECONDS, 6 * quick))
            what = f"{kind}: {row.seconds:.1f} s {row.megabytes:.0f} MB {row.said[-300:]!r}"
            found.count(row.good and row.code == 2, what)
            most = max(most, (kind, row.seconds), key=lambda pair: pair[1])
    found.note = f"the most: {most[1]:.1f} s of processor time ({most[0]})"
    return found


def spent(names: list[str]) -> Iterator[Spent]:
    """Each command on each file of ``names``, all files if there are none."""
    with bench() as place:
        quick = _run(place, place.folder / MODEL, ["scan", MODEL], SECONDS).seconds
        allowed = max(SECONDS, 5 * quick)
        other = place.folder / "other.tflite"
        other.write_bytes(amplify.entries_and_operators())
        np.savez(place.folder / "data.npz", in0=np.zeros((16, 2), np.float32))
        for make, commands in (*amplify.CASES, *amplify_more.CASES):
            if names and make.__name__ not in names:
                continue
            path = place.folder / f"{make.__name__}.tflite"
            path.write_bytes(make())
            for words in commands:
                out = {"M": path.name, "OTHER": other.name, "DATA": "data.npz"}
                yield _run(place, path, [out.get(word, word) for word in words], allowed)
                for left in place.folder.glob("OUT.*"):
                    left.unlink()


def _run(place: Bench, path: Path, words: list[str], allowed: float) -> Spent:
    command = AUDIT if words[0] == "audit" else (*PLAIN, words[0])
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*command, *words[1:]], cwd=place.folder, env=place.environment,
            stdout=output, stderr=subprocess.STDOUT, preexec_fn=_limit,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    seconds = usage.ru_utime + usage.ru_stime
    shown = " ".join(words).replace(".tflite", "")
    size = path.stat().st_size
    return Spent(shown, size, seconds, usage.ru_maxrss / 1024, process.returncode, said, allowed)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_STOPPED, _STOPPED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
