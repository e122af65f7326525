"""Where the time goes of what misses its target: imports, and rooms of the package, by profile."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench_measure import ENV, Command, cost, python, tool
from bench_read import BARE

# Runs a command line of ours under cProfile, and prints the seconds of each room by its own code.
_PROFILE = """
import cProfile, collections, io, json, pstats, runpy, sys, time
profile = cProfile.Profile(time.process_time)
out, sys.stdout = sys.stdout, io.StringIO()
try:
    profile.enable()
    runpy.run_module("tflrepair", run_name="__main__")
except SystemExit:
    pass
profile.disable()
rooms = collections.Counter()
for (path, _, name), row in pstats.Stats(profile).stats.items():
    parts = path.replace("\\\\", "/").split("/")
    if "site-packages" in parts:
        place = parts[parts.index("site-packages") + 1]
    elif "tflrepair" in parts[:-1]:
        place = "tflrepair/" + parts[len(parts) - 1 - parts[::-1].index("tflrepair") + 1]
    elif "importlib" in path or "marshal" in name or "compile" in name:
        place = "importing"
    else:
        place = "Python's own library and builtins"
    rooms[place] += row[2]
print(json.dumps(rooms.most_common(8)), file=out)
"""


def where(models: Path, missed: Sequence[str]) -> Iterator[str]:
    """Markdown: what each kind of command spends, if a target of its kind is missed."""
    model, weights = models / "model.tflite", models / "new_model.weights.h5"
    fix = ("fix", model, "-w", weights, "--learning-rate", "1e-4", "-o", "unused", "--dry-run")
    yield "## Where the time goes"
    yield ""
    yield from ["Missed:", "", *(f"- {name}" for name in missed), ""] if missed else ["", ""]
    if any(name.startswith("scan") for name in missed):
        yield from _starting(model)
    for title, arguments, words in (
        ("`scan` of the reported model", ("scan", model), ("scan", "operators", "small")),
        (
            "`fix --dry-run` of it: what a graft computes before it writes",
            fix,
            ("graft", "optimize"),
        ),
    ):
        if any(word in name for word in words for name in missed):
            yield from _rooms(title, arguments)


def _starting(model: Path) -> Iterator[str]:
    steps: list[tuple[str, Command]] = [
        ("an empty Python", python("pass")),
        ("a bare typer app", python(BARE, "x")),
        ("`tflrepair --version`", tool("--version")),
        ("`tflrepair scan MODEL`", tool("scan", model)),
    ]
    yield "Seconds of the processor, the least of five:"
    yield ""
    yield from ("| process | s |", "| --- | ---: |")
    for name, command in steps:
        yield f"| {name} | {min(cost(command).computing for _ in range(5)):.3f} |"
    yield ""
    done = subprocess.run(
        [*tool("scan", model)[:1], "-X", "importtime", *tool("scan", model)[1:]],
        env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    taken: Counter[str] = Counter()
    for own, name in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", done.stderr):
        taken[name.split(".")[0]] += int(own)
    total = sum(taken.values())
    yield f"Imports of `scan` (-X importtime, {sum(taken.values()) / 1000:.0f} ms), by package:"
    yield ""
    yield from ("| package | share |", "| --- | ---: |")
    for name, own in taken.most_common(8):
        yield f"| {name} | {own / total:.0%} |"
    yield ""


def _rooms(title: str, arguments: Sequence[str | Path]) -> Iterator[str]:
    done = subprocess.run(
        python(_PROFILE, *arguments), env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, check=True,
    )  # fmt: skip
    rooms = json.loads(done.stdout.splitlines()[-1])
    total = sum(seconds for _, seconds in rooms)
    yield f"{title} (cProfile, share of each place's own code):"
    yield ""
    yield from ("| place | share |", "| --- | ---: |")
    for name, seconds in rooms:
        yield f"| {name} | {seconds / total:.0%} |"
    yield ""
