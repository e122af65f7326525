"""What reading costs, each figure beside a peer in the same run.

    python benchmarks/bench_read.py [--pairs 11] [--model MODEL.tflite] [--only WORD]

- scan of a model of 600 KB and 3,400 operators, as a whole process, against a typer application
  with one command and nothing else; in-process, when all is loaded;
- scan of 100,000 operators against a walk with the `tflite` package that reads what a scan reads
  (each operator's code, inputs and outputs, each tensor's name, type and shape);
- 10,000 variables and 500 signatures, against a tenth of them: the cost for each must not grow;
- many small models in one process.

Seconds are of the processor (user and system), which other programs on the
machine disturb least; a ratio is the median of the ratios of neighbours. ``rows()`` gives them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

ROOT = Path(__file__).parent.parent
SMALL = ROOT / "tests" / "data" / "healthy.tflite"
BARE = """
import typer
app = typer.Typer()
@app.command()
def scan(model: str) -> None:
    print(model)
app()
"""


WALK = """
import sys, tflite
model = tflite.Model.GetRootAsModel(open(sys.argv[1], "rb").read(), 0)
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


@dataclass(frozen=True)
class Row:
    """One figure: medians of both, and the median of the ratios of neighbours.

    ``target`` is what the figure is held against; ``met`` says whether it is reached.
    """

    name: str
    ours: str
    peer: str
    ratio: float
    target: str
    met: bool


class Run(NamedTuple):
    seconds: float
    megabytes: float


def run(command: list[str]) -> Run:
    """One process: its user and system seconds, and its largest resident memory."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {process.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def paired(ours: list[str], peer: list[str], pairs: int) -> tuple[Run, Run, float]:
    run(ours), run(peer)  # the first ones compile and fill caches
    rows = [(run(ours), run(peer)) for _ in range(pairs)]
    middle = [
        Run(*map(statistics.median, zip(*side, strict=True))) for side in zip(*rows, strict=True)
    ]
    return middle[0], middle[1], statistics.median(a.seconds / b.seconds for a, b in rows)


def cpu(work: Callable[[], object], times: int) -> float:
    """The median of the processor's seconds of ``work``, once it is warm."""
    work(), work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def start_up(model: Path, folder: Path, pairs: int) -> Iterator[Row]:
    """Scan of one model of ordinary size, beside the least that a typer application costs."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    ours, peer, ratio = paired(
        [sys.executable, "-m", "tflrepair", "scan", str(model)],
        [sys.executable, str(bare), "x"],
        pairs,
    )
    yield Row(
        "scan, whole process / bare typer app", f"{ours.seconds:.3f} s", f"{peer.seconds:.3f} s",
        ratio, "<= 1.5", ratio <= 1.5,
    )  # fmt: skip
    yield Row(
        "scan, memory", f"{ours.megabytes:.0f} MB", f"{peer.megabytes:.0f} MB",
        ours.megabytes / peer.megabytes, "<= 40 MB", ours.megabytes <= 40,
    )  # fmt: skip
    import tflrepair

    warm = cpu(lambda: tflrepair.scan(model), pairs)
    yield Row(
        "scan, in-process and warm", f"{warm * 1e3:.1f} ms", f"{peer.seconds:.3f} s",
        warm / peer.seconds, "<= 15 ms", warm <= 0.015,
    )  # fmt: skip


def giant(folder: Path, pairs: int) -> Iterator[Row]:
    """100,000 operators."""
    path = folder / "large.tflite"
    made("large", path)
    ours, peer, ratio = paired(
        [sys.executable, "-m", "tflrepair", "scan", str(path)],
        [sys.executable, "-c", WALK, str(path)],
        min(pairs, 5),
    )
    yield Row(
        "100,000 operators / walk with tflite", f"{ours.seconds:.2f} s", f"{peer.seconds:.2f} s",
        ratio, "<= 0.05", ratio <= 0.05,
    )  # fmt: skip
    yield Row(
        "100,000 operators, seconds", f"{ours.seconds:.2f} s", "", ours.seconds, "<= 1 s",
        ours.seconds <= 1,
    )  # fmt: skip
    yield Row(
        "100,000 operators, memory", f"{ours.megabytes:.0f} MB", f"{peer.megabytes:.0f} MB",
        ours.megabytes / peer.megabytes, "<= 120 MB", ours.megabytes <= 120,
    )  # fmt: skip


def new() -> Any:
    from build import Build  # brings numpy along, and our memory is the least that a child shows

    return Build()


def large(operators: int) -> bytes:
    """A chain of ADDs over a variable that nothing sets."""
    build = new()
    sub = build.sub("infer", "infer")
    value = sub.read(sub.handle("w"))
    for _ in range(operators):
        out = sub.tensor()
        sub.op("ADD", [value, value], [out])
        value = out
    sub.output(value)
    return bytes(build.bytes())


def variables(count: int) -> bytes:
    """One signature that reads ``count`` variables that nothing sets."""
    build = new()
    sub = build.sub("infer", "infer")
    for index in range(count):
        value = sub.read(sub.handle(f"v{index}"))
    sub.output(value)
    return bytes(build.bytes())


def signatures(count: int) -> bytes:
    """``count`` signatures that read the same 20 variables."""
    build = new()
    for number in range(count):
        sub = build.sub(f"s{number}", f"s{number}")
        for index in range(20):
            value = sub.read(sub.handle(f"v{index}"))
        sub.output(value)
    return bytes(build.bytes())


def _scan(data: bytes) -> None:
    from tflrepair.commands.scan import scan
    from tflrepair.graph.model import from_bytes

    scan(from_bytes(data))


def growth(name: str, make: Callable[[int], bytes], count: int, times: int) -> Row:
    """``count`` against a tenth: how much more each of them costs."""
    files = {number: make(number) for number in (count // 10, count)}
    cost = {n: cpu(partial(_scan, data), times) / n for n, data in files.items()}
    small, big = cost[count // 10], cost[count]
    return Row(
        f"{count} {name}, each / of {count // 10}", f"{big * 1e6:.1f} us", f"{small * 1e6:.1f} us",
        big / small, "<= 1.5", big / small <= 1.5,
    )  # fmt: skip


def many(times: int) -> Row:
    """Small models, one after the other in one process."""
    import tflrepair

    def hundred() -> None:
        for _ in range(100):
            tflrepair.scan(SMALL)

    each = cpu(hundred, times) / 100
    return Row(
        "small models, each", f"{each * 1e3:.2f} ms", "", each * 1e3, "<= 1.5 ms", each <= 0.0015
    )


def rows(model: Path | None, pairs: int, only: str = "") -> Iterator[Row]:
    """All figures, as they come. ``model`` is one like the reported one; else one is made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if model is None:
            model = folder / "ordinary.tflite"
            made("ordinary", model)
        if only in "start":
            yield from start_up(model, folder, pairs)
        if only in "giant":
            yield from giant(folder, pairs)
        if only in "growth":
            yield growth("variables", variables, 10_000, min(pairs, 5))
            yield growth("signatures", signatures, 500, min(pairs, 5))
        if only in "many":
            yield many(pairs)


def ordinary() -> bytes:
    """As large as the reported model: three signatures that read 282 variables, 3,400 operators."""
    build = new()
    for number in range(3):
        sub = build.sub(f"s{number}", f"s{number}")
        for index in range(282):
            handle = sub.handle(f"some_layer/of_the_model_{index}/kernel")
            value = sub.read(handle)
            for kind in ("ADD", "MUL"):
                out = sub.tensor()
                sub.op(kind, [value, value], [out])
                value = out
        sub.output(value)
    return bytes(build.bytes())


MODELS: dict[str, Callable[[], bytes]] = {
    "large": lambda: large(100_000),
    "ordinary": ordinary,
}


def made(kind: str, path: Path) -> None:
    """Make a model in another process: what this one has held counts as memory of its children."""
    subprocess.run([sys.executable, __file__, "--make", kind, str(path)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--make", nargs=2, metavar=("KIND", "PATH"), help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", default="", help="start, giant, growth or many")
    wanted = parser.parse_args()
    if wanted.make:
        Path(wanted.make[1]).write_bytes(MODELS[wanted.make[0]]())
        return
    for row in rows(wanted.model, wanted.pairs, wanted.only):
        state = "met" if row.met else "MISSED"
        figures = f"{row.ours:>10} {row.peer:>10} {row.ratio:>8.3f} {row.target:>10}"
        print(f"{row.name:<42} {figures} {state}")


if __name__ == "__main__":
    main()
