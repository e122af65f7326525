"""What is measured against what, and the target of each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench_measure import Cost, numbers, paired, python, tool
from bench_models import ROOT, chain, heavy, signatures, variables

# typer itself loads pydantic where that is installed, so an app of its own is the fair anchor
BARE_APP = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"

# Reads of a model what a scan reads, with the `tflite` package.
WALK = """
import tflite
def walk(data):
    model = tflite.Model.GetRootAsModel(data, 0)
    for s in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(s)
        for t in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(t)
            tensor.Name(), tensor.Type(), [tensor.Shape(i) for i in range(tensor.ShapeLength())]
        for o in range(subgraph.OperatorsLength()):
            operator = subgraph.Operators(o)
            model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()
            [operator.Inputs(i) for i in range(operator.InputsLength())]
            [operator.Outputs(i) for i in range(operator.OutputsLength())]
"""
WALK_ONE = WALK + "import sys\nwalk(open(sys.argv[1], 'rb').read())\n"

# Seconds of each scan and of each walk of one file in one process, in turn: s w s w ...
WARM = (
    WALK
    + """
import sys, time, tflrepair
path, times = sys.argv[1], int(sys.argv[2])
for number in range(times + 2):
    begin = time.perf_counter(); tflrepair.scan(path)
    middle = time.perf_counter(); walk(open(path, 'rb').read())
    end = time.perf_counter()
    if number > 1: print(middle - begin); print(end - middle)
"""
)

# Seconds of scans of a small and a large file in one process, in turn: s l s l ...
GROWTH = """
import sys, time, tflrepair
for number in range(int(sys.argv[3]) + 1):
    for path in sys.argv[1:3]:
        begin = time.perf_counter(); tflrepair.scan(path)
        if number: print(time.perf_counter() - begin)
"""

# Seconds for each model of a folder, whole runs of scan_all and of the walk in turn.
MANY = (
    WALK
    + """
import pathlib, sys, time
from tflrepair.commands.scan import scan_all
folder, times = sys.argv[1], int(sys.argv[2])
paths = sorted(pathlib.Path(folder).iterdir())
for number in range(times + 1):
    begin = time.perf_counter()
    for _ in scan_all(folder): pass
    middle = time.perf_counter()
    for path in paths: walk(path.read_bytes())
    end = time.perf_counter()
    if number: print((middle - begin) / len(paths)); print((end - middle) / len(paths))
"""
)


@dataclass(frozen=True)
class Target:
    """What was asked; None where nothing was. ``ratio``: against the anchor."""

    ratio: float | None = None
    seconds: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Row:
    """A result. ``anchor_seconds`` and ``ratio`` are of the same runs as ``ours``."""

    name: str
    ours: Cost
    anchor: str
    anchor_seconds: float
    ratio: float
    target: Target


def rows(folder: Path, pairs: int, gigabytes: float) -> Iterator[Row]:
    """All cases, one after the other.

    Args:
        gigabytes: size of the large model.
    """
    from conftest import made

    reported = made("reported")
    model, weights = reported / "model.tflite", reported / "new_model.weights.h5"
    out = folder / "out.tflite"
    app = python(BARE_APP)
    fix = ("fix", model, "-w", weights, "--learning-rate", "1e-4", "-o", out, "--force")

    def whole(name: str, command: list[str], anchor: list[str], what: str, to: Target) -> Row:
        got = paired(command, anchor, pairs, lambda: out.unlink(missing_ok=True))
        return Row(name, got.ours, what, got.anchor.seconds, got.ratio, to)

    bare = "bare typer app"
    yield whole("scan, reported model", tool("scan", model), app, bare, Target(1.5, None, 40))
    yield _inside("scan in one process, reported model", WARM, model, pairs, Target(None, 0.015))
    large = _made(folder / "large.tflite", chain(100_000))
    walk = python(WALK_ONE, large)
    yield whole("scan, 100,000 operators", tool("scan", large), walk, "walk with `tflite`",
                Target(0.05, 1.0))  # fmt: skip
    for name, make, few, most in (
        ("10,000 variables", variables, 1_000, 10_000),
        ("500 signatures", signatures, 50, 500),
    ):
        yield _growth(f"scan, {name}", folder, [make(few), make(most)], pairs)
    yield _inside("scan of a folder, each small model", MANY, _copies(folder), pairs,
                  Target(None, 0.0015))  # fmt: skip
    yield whole("graft --no-run, reported model", tool(*fix, "--no-run"), app, bare,
                Target(None, 0.5, 100))  # fmt: skip
    yield whole("graft, reported model", tool(*fix), app, bare, Target(None, 1.0, 100))
    yield whole("optimize, reported model", tool(*fix, "--strategy", "optimize"), app, bare,
                Target(None, 2.0))  # fmt: skip
    giant = folder / "giant.tflite"
    heavy(giant, int(gigabytes * 1e9))
    copy = ["cp", "--sparse=never", str(giant), str(out)]
    yield whole(f"graft, {gigabytes:g} GB", tool("fix", giant, "--set", "v=1", "-o", out), copy,
                "cp", Target(1.3, None, 200))  # fmt: skip
    giant.unlink()


def _made(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _copies(folder: Path, count: int = 300) -> Path:
    many = folder / "many"
    many.mkdir()
    data = (ROOT / "tests" / "data" / "healthy.tflite").read_bytes()
    for number in range(count):
        (many / f"{number:04}.tflite").write_bytes(data)
    return many


def _inside(name: str, code: str, path: Path, pairs: int, target: Target) -> Row:
    found = numbers(code, path, str(pairs))
    return _of(name, found[::2], found[1::2], "walk with `tflite`", target)


def _growth(name: str, folder: Path, data: list[bytes], pairs: int) -> Row:
    """A tenth is the anchor: ten times of it would be linear, and a third more is allowed."""
    paths = [_made(folder / f"growth_{number}.tflite", d) for number, d in enumerate(data)]
    found = numbers(GROWTH, *paths, str(pairs))
    return _of(name, found[1::2], found[::2], "a tenth of them", Target(13.0))


def _of(name: str, ours: list[float], anchor: list[float], what: str, target: Target) -> Row:
    from statistics import median

    ratio = median(a / b for a, b in zip(ours, anchor, strict=True))
    return Row(name, Cost(median(ours), 0, 0), what, median(anchor), ratio, target)


if __name__ == "__main__":
    sys.exit("run bench.py")
