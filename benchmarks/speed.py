"""How long scan and fix take, as whole processes, beside a peer in the same run.

    python benchmarks/speed.py [--pairs 7]

scan against a walk with the `tflite` package that reads what a scan reads (each operator's code,
inputs and outputs, each tensor's name, type and shape), on a model of 20,000 operators; and fix
against copying the file that it writes. Runs alternate, A B A B; what is printed are medians and
the median of the ratios of neighbours, so that a slow moment of the machine meets both.
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


def large(operators: int) -> bytes:
    """A chain of ADDs over a variable that nothing sets."""
    build = Build()
    sub = build.sub("infer", "infer")
    value = sub.read(sub.handle("w"))
    for _ in range(operators):
        out = sub.tensor()
        sub.op("ADD", [value, value], [out])
        value = out
    sub.output(value)
    return build.bytes()


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
        (folder / "large.tflite").write_bytes(large(20_000))
        path = str(folder / "large.tflite")
        walk = [sys.executable, "-c", WALK, path]
        scan = [*tool, "scan", path]
        pair("scan, 20,000 operators", scan, "walk with the tflite package", walk, pairs)
        pair(
            "scan, the sample", [*tool, "scan", "tflrepair/samples/broken.tflite"],
            "import typer", [sys.executable, "-c", "import typer"], pairs,
        )  # fmt: skip
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
