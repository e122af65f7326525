"""Training a model in a child process, step by step."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.errors import UnsupportedError
from tflrepair.execution import worker
from tflrepair.execution.runtimes import environment
from tflrepair.leftovers import workspace
from tflrepair.processes import children
from tflrepair.processes.ending import ending, signal_name
from tflrepair.wording import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORKER = Path(__file__).with_name("train_worker.py")
STEP = 60.0  # seconds of processor time for a step, where that can be limited


@dataclass(frozen=True)
class TrainJob:
    """What to run.

    Attributes:
        data: input name -> array; ``rows`` says whether its first axis counts examples.
        batch: examples for each step.
        loss: name of the output that is the loss.
        state: signature that hands out the variables at the end; None for none.
    """

    model: str
    signature: str
    data: Mapping[str, NDArray[Any]] = field(repr=False)
    rows: Mapping[str, bool]
    steps: int
    batch: int
    seed: int
    loss: str
    state: str | None
    delegate: bool = True
    threads: int = 1


@dataclass(frozen=True)
class Training:
    """What it gave: the loss before each step, seconds of each, the variables at the end."""

    losses: tuple[float, ...]
    seconds: tuple[float, ...]
    state: Mapping[str, NDArray[Any]] = field(repr=False)


def run_training(job: TrainJob, progress: Callable[[int, float], None]) -> Training:
    """Train under LiteRT; ``progress`` is told (steps done, last loss).

    Raises:
        UnsupportedError: LiteRT is not installed, refuses the model, or dies of it.
    """
    import numpy as np

    if "litert" not in worker.installed():
        raise UnsupportedError(
            "LiteRT is not installed, so nothing can be run", hint="pip install 'tflrepair[run]'"
        )
    with workspace() as folder:
        keys = {input_name: f"i{n}" for n, input_name in enumerate(job.data)}
        arrays: dict[str, Any] = {keys[n]: value for n, value in job.data.items()}
        np.savez(folder / "data.npz", **arrays)
        row: dict[str, Any] = {k: v for k, v in vars(job).items() if k != "data"}
        row |= {"rows": dict(job.rows), "keys": keys, "module": worker.RUNTIMES["litert"][2]}
        row["limit"] = STEP
        (folder / "job.json").write_text(json.dumps(row), encoding="utf-8")
        losses, seconds = _child(folder, progress)
        state = {}
        if (folder / "names.json").exists():
            names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
            with np.load(folder / "state.npz", allow_pickle=False) as stored:
                state = {name: stored[f"a{n}"] for n, name in enumerate(names)}
        return Training(tuple(losses), tuple(seconds), state)


def _child(folder: Path, progress: Callable[[int, float], None]) -> tuple[list[float], list[float]]:
    losses: list[float] = []
    seconds: list[float] = []
    log = folder / "log"
    line = children.command(WORKER, [str(folder)])
    env = environment(sys.executable, folder.absolute())
    with (
        log.open("wb") as stream,
        children.running(line, env=env, stdout=subprocess.PIPE, stderr=stream) as process,
    ):
        assert process.stdout is not None
        with process.stdout as output:
            for printed in output:
                if printed.startswith(b"{"):
                    row = json.loads(printed)
                    losses.append(row["loss"])
                    seconds.append(row["seconds"])
                    progress(row["step"], row["loss"])
        code = process.wait()
    if signal_name(code) == "SIGPROF":
        raise UnsupportedError(
            f"step {len(losses) + 1} computes for more than {STEP:g} s; "
            "the model may loop for ever",
            hint="give a smaller --batch",
        )
    if code:
        raise UnsupportedError(
            f"training ended after {plural(len(losses), 'step')}: {ending(code, log)}"
        )
    if (folder / "error.txt").exists():
        text = (folder / "error.txt").read_text(encoding="utf-8")
        raise UnsupportedError(f"LiteRT stops at step {len(losses) + 1}: {text.splitlines()[0]}")
    return losses, seconds
