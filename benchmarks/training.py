"""A training step without Flex, beside Flex and eager TensorFlow: time and size.

    python benchmarks/training.py [--flex-python PATH] [--cases DIR] [--losses] [NAME...]

writes benchmarks/training.md; the rows of other names stay as they are; with --losses, only those
of the last table are new, which no load of the machine changes. The files are made broken
by the real converter, with an open batch, and repaired: with Flex (the graft) and without
(--no-flex). PATH is a Python with tensorflow-cpu 2.18.1, the last wheel that has Flex
(`make test-flex` makes one).

Each way is a process of its own with one thread. They take turns: ten rounds of a few steps each,
so that what else the machine does hits all alike. The figure is the median of a way's steps in
processor time, the ratio the median of the rounds' ratios. Eager TensorFlow's pool of threads is
held to one, too, but what it does beside counts.

The losses are those of ten steps on the larger batch, without Flex under LiteRT and with
TensorFlow's own kernels on the graft.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".md")
WORKER = Path(__file__).with_name("training_worker.py")
ROUNDS = 10
BATCHES = (1, 8)
STEPS = 10
FLEX = "Flex, tensorflow-cpu 2.18.1"
OURS = "no Flex, LiteRT"


@dataclass(frozen=True)
class Way:
    """How a step is made."""

    label: str
    python: str
    file: str
    module: str = "ai_edge_litert.interpreter"
    delegate: bool = True
    eager: bool = False


def ways(flex: str | None) -> list[Way]:
    own = sys.executable
    found = [
        Way(OURS, own, "noflex.tflite"),
        Way("no Flex, LiteRT, no XNNPACK", own, "noflex.tflite", delegate=False),
        Way("eager TensorFlow (tf.function)", own, "saved_model", eager=True),
    ]
    if flex:
        tf_lite = "tensorflow.lite.python.interpreter"
        found.append(Way(FLEX, flex, "graft.tflite", tf_lite))
        found.append(Way("no Flex, tensorflow-cpu 2.18.1", flex, "noflex.tflite", tf_lite))
    return found


def make(name: str, folder: Path) -> None:
    """model.tflite (broken), values.npz, graft.tflite, noflex.tflite, saved_model."""
    import keras
    import numpy as np
    import tensorflow as tf
    from training_models import MODELS

    import tflrepair
    from tflrepair.rebuild.requests import NoFlex

    folder.mkdir(parents=True)
    sets = {}
    if name == "reported":
        from conftest import made

        source = made("reported")
        for part in ("model.tflite", "saved_model"):
            (folder / part).symlink_to(source / part)
        weights, sets = source / "new_model.weights.h5", {"adam/learning_rate": "1e-4"}
        x = np.load(source / "io.npz")["x"]
        x, y = x[np.arange(8) % len(x)], np.eye(62, dtype=np.float32)[np.arange(8) * 7]
    else:
        from makers.common import convert, randomize
        from makers.training import NETWORKS, Training

        keras.backend.clear_session()
        NETWORKS[name] = MODELS[name]
        module = Training(name)
        net = module.net
        randomize(net.variables, seed=3)
        keys = {k: getattr(module, k).get_concrete_function() for k in ("infer", "train")}
        tf.saved_model.save(module, str(folder / "saved_model"), signatures=keys)
        (folder / "model.tflite").write_bytes(convert(folder / "saved_model", flex=True))
        weights = folder / "values.npz"
        every = [*net.variables, *module.optimizer.variables]
        values: Any = {v.path: np.asarray(v) for v in every}
        np.savez(weights, **values)
        rng = np.random.default_rng(0)
        x = rng.normal(size=(8, *net.inputs[0].shape[1:])).astype(np.float32)
        y = np.eye(3, dtype=np.float32)[np.arange(8) % 3]
        sets = {"SGD/learning_rate": "0.05"}
    by_name = weights.suffix == ".npz"
    for out, options in (("graft", None), ("noflex", NoFlex())):
        try:
            tflrepair.fix(
                folder / "model.tflite", [weights], sets=sets, by_name=by_name,
                out=folder / f"{out}.tflite", no_flex=options,
            )  # fmt: skip
        except tflrepair.TflRepairError:
            tflrepair.fix(
                folder / "model.tflite", [weights], by_name=by_name,
                out=folder / f"{out}.tflite", no_flex=options,
            )  # fmt: skip
    for batch in BATCHES:
        np.savez(folder / f"data{batch}.npz", x=x[:batch], y=y[:batch])


def measure(folder: Path, batch: int, flex: str | None, work: Path) -> dict[str, list[list[float]]]:
    """Milliseconds by way and round."""
    running: dict[str, subprocess.Popen[str]] = {}
    for number, way in enumerate(ways(flex)):
        job: dict[str, Any] = {"model": str(folder / way.file), "module": way.module}
        job |= {"delegate": way.delegate, "eager": way.eager, "steps": 3}
        job["data"] = str(folder / f"data{batch}.npz")
        path = work / f"job{number}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        running[way.label] = subprocess.Popen(
            [way.python, str(WORKER), str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
    times: dict[str, list[list[float]]] = {label: [] for label in running}
    alive = {k: p for k, p in running.items() if p.stdout and p.stdout.readline() == "ready\n"}
    for _ in range(ROUNDS):
        for label, process in alive.items():
            assert process.stdin and process.stdout
            process.stdin.write("go\n")
            process.stdin.flush()
            times[label].append(json.loads(process.stdout.readline()))
    for process in running.values():
        assert process.stdin and process.stdout
        process.stdin.close()
        process.wait()
        process.stdout.close()
    return times


def rows(name: str, batch: int, times: dict[str, list[list[float]]]) -> list[str]:
    found = []
    base = times.get(FLEX) or times[OURS]
    for label, rounds in times.items():
        if not rounds:
            found.append(f"| {name} | {batch} | {label} | does not run | |")
            continue
        middle = statistics.median(t for row in rounds for t in row)
        pairs = zip(rounds, base, strict=True)
        ratio = statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)
        found.append(f"| {name} | {batch} | {label} | {middle:.3g} | {ratio:.2f} |")
    return found


def size_row(name: str, folder: Path) -> str:
    from tflrepair.graph.model import load

    cells = [name]
    for file in ("graft.tflite", "noflex.tflite"):
        model = load(folder / file)
        count = sum(subgraph.operator_count for subgraph in model.subgraphs)
        cells += [f"{model.size / 1e6:.3f}", str(count)]
    return f"| {' | '.join(cells)} |"


def losses_row(name: str, folder: Path) -> str:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from tflrepair.graph.model import load
    from tflrepair.rebuild.run.reference import run_reference

    with np.load(folder / f"data{BATCHES[-1]}.npz") as stored:
        feed: Any = {key: stored[key] for key in stored.files}
    train = Interpreter(str(folder / "noflex.tflite"), num_threads=1).get_signature_runner("train")
    ours = [float(train(**feed)["loss"]) for _ in range(STEPS)]
    answers = run_reference(load(folder / "graft.tflite"), {}, [("train", feed)] * STEPS)
    theirs = [float(answer["loss"]) for answer in answers]
    far = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    return f"| {name} | {theirs[0]:.3g} | {theirs[-1]:.3g} | {far:.0e} |"


def main() -> None:
    from training_models import MODELS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--flex-python")
    parser.add_argument("--cases", type=Path, help="keep the files here, and take them from here")
    parser.add_argument("--losses", action="store_true", help="only the table of losses")
    options = parser.parse_args()
    names = options.names or [*MODELS, "reported"]
    table, sizes, _ = kept([] if options.losses else names)
    _, _, losses = kept(names)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for case in names:
            folder = (options.cases or work) / case
            if not (folder / f"data{BATCHES[-1]}.npz").exists():
                make(case, folder)
            losses.append(losses_row(case, folder))
            if options.losses:
                continue
            sizes.append(size_row(case, folder))
            for batch in BATCHES:
                table += rows(case, batch, measure(folder, batch, options.flex_python, work))
                print("\n".join(table[-len(ways(options.flex_python)) :]), flush=True)
    lines = report(table, sizes, losses)
    if options.losses:  # made on another day than the times
        before = TABLE.read_text(encoding="utf-8").splitlines()
        made = next(n for n, line in enumerate(before) if line.startswith("tensorflow "))
        new = next(n for n, line in enumerate(lines) if line.startswith("tensorflow "))
        lines[new : new + 2] = before[made : made + 2]
    TABLE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def kept(names: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The rows of each table that are not made again."""
    text = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for rows_of, part in zip(found, text.split("\n## ")[1:], strict=False):
        rows_of += [
            line for line in part.splitlines()[4:]
            if line.startswith("| ") and line.split(" | ", 1)[0].strip("| ") not in names
        ]  # fmt: skip
    return found


def report(table: list[str], sizes: list[str], losses: list[str]) -> list[str]:
    names = ", ".join(f"{n} {version(n)}" for n in ("tensorflow", "ai-edge-litert"))
    text = (__doc__ or "").split("\n\n")
    return [
        "# Training without Flex",
        "",
        "Made by `python benchmarks/training.py`; do not edit.",
        "",
        *"\n\n".join(text[3:]).strip().splitlines(),
        "",
        f"{names}; Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} "
        f"cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}.",
        "",
        "## A step",
        "",
        "| model | batch | way | ms | against Flex |",
        "| --- | ---: | --- | ---: | ---: |",
        *table,
        "",
        "## The file",
        "",
        "| model | graft, MB | operators | no Flex, MB | operators |",
        "| --- | ---: | ---: | ---: | ---: |",
        *sizes,
        "",
        "## Losses",
        "",
        "| model | first | tenth | largest difference |",
        "| --- | ---: | ---: | ---: |",
        *losses,
    ]


if __name__ == "__main__":
    main()
