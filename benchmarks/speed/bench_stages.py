"""Steps of what misses its target: seconds of a repair or a scan, memory of a run, operators."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench_infer import compared
from bench_measure import ENV, python

# Prints {step: seconds of the processor} of one repair: this process, and children as they end.
_REPAIR = """
import collections, json, os, sys
now = lambda: sum(os.times()[:4])
model, weights, out, strategy, run = sys.argv[1:]
import tflrepair
from tflrepair.commands.fix import fix
spent, last = collections.Counter(), ["Python and imports", 0.0]
def tell(step, done, total):
    if step != last[0]:
        spent[last[0]] += now() - last[1]
        last[:] = step, now()
tflrepair.fix(model, weights, learning_rate=1e-4, out=out, force=True, strategy=strategy,
              run=run == "run", progress=tell)
tell("the child that reads the weights", 0, 0)
from tflrepair.weights.native import pool
pool.end_idle()
tell("", 0, 0)
print(json.dumps(spent))
"""

# Prints {step: seconds, the median} of scans in one process that is warm.
_SCAN = """
import collections, json, statistics, sys, time
from tflrepair.commands.scan import scan
from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import load
rows = collections.defaultdict(list)
for turn in range(int(sys.argv[2]) + 1):
    begin = time.process_time()
    def done(step):
        global begin
        if turn or sys.argv[2] == "0":
            rows[step].append(time.process_time() - begin)
        begin = time.process_time()
    model = load(sys.argv[1]); done("opening")
    model.walk(); done("verifying all tables")
    context = AnalysisContext(model); context.analysis; done("following variables")
    scan(context); done("checks")
print(json.dumps({step: statistics.median(row) for step, row in rows.items()}))
"""

# Prints {what is there: megabytes of memory so far} of a process that runs a model.
_MEMORY = """
import json, resource, sys
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found = {"Python": most()}
import numpy as np
from ai_edge_litert.interpreter import Interpreter
found["numpy and LiteRT imported"] = most()
model = Interpreter(model_path=sys.argv[1])
found["the file opened"] = most()
runner = model.get_signature_runner("infer")
found["its tensors planned"] = most()
io = np.load(sys.argv[2])["x"]
((name, details),) = runner.get_input_details().items()
shape = [n if n > 0 else 1 for n in details["shape_signature"]]
runner(**{name: np.resize(io, shape).astype(details["dtype"])})
found["after the first run: values set, weights transposed and packed"] = most()
print(json.dumps(found))
"""


def _asked(code: str, *arguments: str | Path) -> dict[str, float]:
    done = subprocess.run(
        python(code, *arguments), env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _table(title: str, unit: str, rows: dict[str, float], digits: int) -> Iterator[str]:
    yield from (title, "", f"| step | {unit} |", "| --- | ---: |")
    yield from (f"| {name} | {value:.{digits}f} |" for name, value in rows.items())
    yield ""


def repair(models: Path, out: Path, strategy: str, run: bool) -> Iterator[str]:
    """Seconds of each step of a repair of the reported model."""
    model, weights = models / "model.tflite", models / "new_model.weights.h5"
    steps = _asked(_REPAIR, model, weights, out, strategy, "run" if run else "no")
    ran = "and run" if run else "not run"
    title = f"`fix --strategy {strategy}`, {ran}: seconds of the processor, children included:"
    yield from _table(title, "s", steps, 3)


def scan(title: str, model: Path, times: int) -> Iterator[str]:
    """Milliseconds of each step of a scan; with 0 ``times``, of the first."""
    steps = {name: 1e3 * seconds for name, seconds in _asked(_SCAN, model, str(times)).items()}
    yield from _table(f"scan of {title}, in one process:", "ms", steps, 2)


def memory(out: Path, inputs: Path) -> Iterator[str]:
    """What the process that runs a grafted model holds: the largest of a repair."""
    found = _asked(_MEMORY, out, inputs)
    yield from _table("memory of a process that runs the result of a graft:", "MB", found, 0)


def infer(reported: Path, folder: Path, missed: Sequence[str]) -> Iterator[str]:
    """How many operators of each kind the optimized model and the best conversion have."""
    from tflrepair.graph.model import Model, load

    def counts(model: Model) -> Counter[str]:
        found: Counter[str] = Counter()
        for row in model.signatures:
            if row.key == "infer":
                found += model.subgraph(row.subgraph).operator_names()
        return found

    for name, ours, best, _ in compared(reported, folder):
        if not any(name in row for row in missed):
            continue
        mine, other = counts(load(ours)), counts(load(best))
        differ = {
            kind: f"{mine[kind]} for {other[kind]}"
            for kind in sorted({*mine, *other})
            if mine[kind] != other[kind]
        }
        listed = ", ".join(f"{kind} {text}" for kind, text in differ.items()) or "the same"
        yield f"`infer` of {name}: {mine.total()} operators for {other.total()}: {listed}."
        yield ""
