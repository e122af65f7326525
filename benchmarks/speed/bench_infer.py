"""What comes out: ``infer`` of an optimized model against the best conversion, in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_measure import ENV, cost, python, tool
from bench_models import ROOT
from bench_read import Row

# Prints [ms of the first, ms of the second, median ratio]: both interpreters in turn, one thread.
_MEASURE = """
import json, statistics, sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
x = np.load(sys.argv[3])["x"]
models = [Interpreter(model_path=path, num_threads=1) for path in sys.argv[1:3]]
runners = [model.get_signature_runner("infer") for model in models]
((name, details),) = runners[0].get_input_details().items()
shape = [n if n > 0 else 1 for n in details["shape_signature"]]
x = np.ascontiguousarray(x.reshape(-1, *x.shape[-len(shape) + 1:])[: shape[0]].reshape(shape))
times = [[], []]
for turn in range(80):
    both = list(zip(runners, times))
    for runner, row in both if turn % 2 else both[::-1]:
        begin, count = time.process_time_ns(), 0
        while count < 1 or time.process_time_ns() - begin < 2_000_000:
            runner(**{name: x})
            count += 1
        row.append((time.process_time_ns() - begin) / count / 1e6)
ours, best = (row[4:] for row in times)
ratio = statistics.median(a / b for a, b in zip(ours, best))
print(json.dumps([statistics.median(ours), statistics.median(best), ratio]))
"""


def rows(reported: Path, folder: Path) -> Iterator[Row]:
    """The reported model, and one with an LSTM and a GRU that are not unrolled."""
    for name, out, best, inputs in compared(reported, folder):
        yield _row(name, out, best, inputs)


def compared(reported: Path, folder: Path) -> Iterator[tuple[str, Path, Path, Path]]:
    """(name, the optimized model in ``folder``, the best conversion, inputs) of both."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "passes")]
    from conftest import made
    from peer import resaved

    loops = made("loops") / "recurrent"
    weights: list[str | Path] = ["-w", reported / "new_model.weights.h5", "--learning-rate", "1e-4"]
    out, best = _optimized(reported, weights, folder), resaved(reported, flex=True)
    yield "the reported model", out, best, reported / "io.npz"
    recurrent: list[str | Path] = ["-w", loops / "values.npz"]
    out, best = _optimized(loops, recurrent, folder), resaved(loops, flex=False)
    yield "LSTM and GRU in loops", out, best, loops / "io.npz"


def _optimized(made: Path, weights: list[str | Path], folder: Path) -> Path:
    out = folder / "optimized.tflite"
    out.unlink(missing_ok=True)
    fix = ("fix", made / "model.tflite", *weights, "--strategy", "optimize", "--no-run", "-o", out)
    cost(tool(*fix))
    return out


def _row(name: str, out: Path, best: Path, inputs: Path) -> Row:
    command = python(_MEASURE, out, best, inputs)
    done = subprocess.run(command, env=ENV, stdout=subprocess.PIPE, text=True, check=True)
    ours, peer, ratio = json.loads(done.stdout.splitlines()[-1])
    return Row(
        f"infer of {name}, optimized / best conversion", f"{ours:.3f} ms", f"{peer:.3f} ms", ratio,
        "<= 1.05", ratio <= 1.05,
    )  # fmt: skip
