"""Where the time goes of what misses its target: by steps, imports, and rooms of the package."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import bench_stages
from bench_measure import ENV, Command, cost, python, tool
from bench_read import BARE, SMALL, made

# ``fix`` of a model of gigabytes by the clock
_COPYING = (
    "A graft of gigabytes waits for the disk: the new file is on it (fsync) before it gets its "
    "name, as that of `cp` is not when it ends. Starting and checking take half a second of it."
)

# Runs a command line of ours under cProfile, and prints the seconds of each room by its own code.
_PROFILE = """
import cProfile, collections, gc, io, json, pstats, sys, time
profile = cProfile.Profile(time.process_time)
out, sys.stdout = sys.stdout, io.StringIO()
try:
    profile.enable()
    gc.disable()
    from tflrepair.cli import main  # what runs it ends the process, too
    main()
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
    """Markdown: what each command whose target is missed spends, and on what."""
    yield from ("## Where the time goes", "")
    yield from ["Missed:", "", *(f"- {name}" for name in missed), ""] if missed else ["", ""]

    def any_of(*words: str) -> bool:
        return any(name.startswith(words) for name in missed)

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        out = folder / "out.tflite"
        if any_of("scan, whole", "scan of a made"):
            yield from _starting(models / "model.tflite")
        if any_of("graft --no-run", "graft, run"):
            yield from bench_stages.repair(models, out, "graft", any_of("graft, run"))
            yield from _rooms("`fix --dry-run`", _planning(models))
        if any_of("graft, run, memory"):
            if not out.exists():
                list(bench_stages.repair(models, out, "graft", False))
            yield from bench_stages.memory(out, models / "io.npz")
        if any_of("graft of"):
            yield _COPYING
            yield ""
        if any_of("optimize"):
            yield from bench_stages.repair(models, out, "optimize", True)
        yield from bench_stages.infer(models, folder, [row for row in missed if "infer" in row])
        if any_of("scan"):
            yield from bench_stages.scan("the reported model", models / "model.tflite", 10)
            yield from _rooms("`scan`", ("scan", models / "model.tflite"))
        if any_of("100,000", "10000", "500 "):
            made("large", folder / "large.tflite")
            yield from bench_stages.scan("100,000 operators", folder / "large.tflite", 0)
        if any_of("small models"):
            yield from bench_stages.scan("a small model", SMALL, 200)


def _planning(models: Path) -> tuple[str | Path, ...]:
    model, weights = models / "model.tflite", models / "new_model.weights.h5"
    return ("fix", model, "-w", weights, "--learning-rate", "1e-4", "-o", "unused", "--dry-run")


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
