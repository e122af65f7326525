"""The child process that trains: ``python train_worker.py FOLDER``.

Needs numpy and LiteRT. FOLDER holds

    job.json    {"model": path, "signature": key, "steps": N, "batch": B, "seed": S, "loss": name,
                 "module": what has Interpreter, "delegate": bool, "state": key or null,
                 "rows": {input: whether its first axis counts examples}, "threads": T,
                 "keys": {input: its array in data.npz}}
    data.npz    the inputs; those with rows hold all examples
    state.npz   written at the end: what the signature ``state`` hands out, as a0, a1, ...
    names.json  the names of these
    error.txt   written instead if the runtime refuses, with its message

Each finished step is one line on stdout, ``{"step": 1, "loss": 0.5, "seconds": 0.01}``.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tflrepair.processes.launch import limit_time


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        train(job, folder)
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        (folder / "error.txt").write_text(text[:4000], encoding="utf-8")


def train(job: dict[str, Any], folder: Path) -> None:
    import numpy as np

    module = importlib.import_module(job["module"])
    kinds = module.OpResolverType
    kind = kinds.AUTO if job["delegate"] else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(
        model_path=job["model"], experimental_op_resolver_type=kind, num_threads=job["threads"]
    )
    run = interpreter.get_signature_runner(job["signature"])
    with np.load(folder / "data.npz", allow_pickle=False) as stored:
        data = {name: stored[key] for name, key in job["keys"].items()}
    batches = feeds(job, data)
    for step in range(1, job["steps"] + 1):
        feed = next(batches)
        start = time.perf_counter()
        limit_time(job["limit"])
        found = run(**feed)
        limit_time(0)
        seconds = time.perf_counter() - start
        loss = float(np.asarray(found[job["loss"]]).reshape(-1)[0])
        print(json.dumps({"step": step, "loss": loss, "seconds": seconds}), flush=True)
    if job["state"]:
        limit_time(job["limit"])
        state = interpreter.get_signature_runner(job["state"])()
        limit_time(0)
        names = list(state)
        arrays = {f"a{number}": state[name] for number, name in enumerate(names)}
        np.savez(folder / "state.npz", **arrays)
        (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")


def feeds(job: dict[str, Any], data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Batches for ever: each round goes through all examples in an order of its own."""
    import numpy as np

    rows = [name for name, by_row in job["rows"].items() if by_row]
    fixed = {name: data[name] for name, by_row in job["rows"].items() if not by_row}
    if not rows:
        while True:
            yield fixed
    count, batch = len(data[rows[0]]), job["batch"]
    rng = np.random.default_rng(job["seed"])
    order = np.zeros(0, np.int64)
    while True:
        while len(order) < batch:
            order = np.concatenate([order, rng.permutation(count)])
        chosen, order = order[:batch], order[batch:]
        yield {**fixed, **{name: data[name][chosen] for name in rows}}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
