"""Runs tasks in child processes and turns whatever happens to them into outcomes.

A task is a sequence of calls in one fresh interpreter. A child that dies or stands still costs
the task that it was at; the tasks behind it go on in a new child.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.execution.runtimes import WORKER, Runtime, environment
from tflrepair.leftovers import workspace
from tflrepair.processes import children
from tflrepair.processes.ending import ending

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OutcomeStatus(StrEnum):
    """How a call ended."""

    OK = "ok"
    ERROR = "error"  # the runtime refused; the text is its message
    CRASHED = "crashed"  # the process died or stood still; the text says how
    SKIPPED = "skipped"  # an earlier call of the task failed
    UNAVAILABLE = "unavailable"  # the runtime cannot be imported


# Seconds without a finished call; importing tensorflow on a busy machine takes up to a minute.
TIMEOUT = 300.0

# glibc fills what malloc returns with the complement of MALLOC_PERTURB_ (man mallopt), but not what
# its thread cache hands out again, so that is off; macOS fills with 0xAA (man malloc). Memory that
# a runtime never wrote then reads 3.4e38 as float32, not the zeros of a fresh page. A right program
# does not notice.
DIRTY_MEMORY = {
    "MALLOC_PERTURB_": str(0x7F ^ 0xFF),
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    "MallocPreScribble": "1",
}


@dataclass(frozen=True, eq=False)
class RunCall:
    """One run of a signature.

    Attributes:
        signature: its key; None runs subgraph 0 of a model without signatures.
        inputs: name -> array, of exactly the dtype that the tensor has; strings as bytes ("S").
        tensors: name -> tensor index of inputs, ``outputs`` the same of outputs. Only looked at
            where ``signature`` is None.
    """

    signature: str | None
    inputs: Mapping[str, NDArray[Any]]
    tensors: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Task:
    """Calls in one fresh interpreter over the file ``model``.

    ``delegate`` false leaves out the default delegate (XNNPACK), so builtin kernels run.
    """

    model: str
    calls: tuple[RunCall, ...]
    delegate: bool = True


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a call gave.

    Attributes:
        text: says what happened where it is not ``ok``.
        outputs: name -> array; strings as object arrays of bytes. Empty unless ``ok``.
    """

    status: OutcomeStatus
    outputs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    text: str = ""


def run(
    runtime: Runtime,
    tasks: Sequence[Task],
    *,
    dirty: bool = False,
    timeout: float = TIMEOUT,
) -> list[list[Outcome]]:
    """Run ``tasks`` in order; outcomes by task and call.

    Args:
        dirty: fill fresh memory with a pattern, which shows variables that nothing initialises.
        timeout: seconds without a finished call after which the child is ended.
    """
    if not tasks:
        return []
    with workspace() as folder:
        rows = _write_inputs(folder, tasks)
        results: dict[int, list[Outcome]] = {}
        while len(results) < len(tasks):
            left = [n for n in range(len(tasks)) if n not in results]
            job = {"module": runtime.module, "tasks": [rows[n] for n in left]}
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            end = _child(runtime, folder, dirty, timeout)
            _collect(folder, tasks, left, end, results)
        return [results[n] for n in range(len(tasks))]


def _write_inputs(folder: Path, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Write inputs.npz, each array once; the tasks as the worker reads them."""
    import numpy as np

    arrays: dict[str, NDArray[Any]] = {}
    known: dict[int, str] = {}

    def key(array: NDArray[Any]) -> str:
        if id(array) not in known:
            known[id(array)] = f"a{len(arrays)}"
            arrays[known[id(array)]] = array
        return known[id(array)]

    rows = []
    for number, task in enumerate(tasks):
        calls = [
            {
                "signature": call.signature,
                "inputs": [[n, call.tensors.get(n, -1), key(a)] for n, a in call.inputs.items()],
                "outputs": list(call.outputs.items()),
            }
            for call in task.calls
        ]
        model = str(Path(task.model).absolute())
        rows.append({"number": number, "model": model, "delegate": task.delegate, "calls": calls})
    np.savez(folder / "inputs.npz", **arrays)  # type: ignore[arg-type]
    return rows


def _child(runtime: Runtime, folder: Path, dirty: bool, timeout: float) -> str:
    """Run the worker to its end; empty if it ended by itself, else what happened to it."""
    for name in ("ready", "unavailable"):
        (folder / name).unlink(missing_ok=True)
    env = environment(runtime.python) | (DIRTY_MEMORY if dirty else {})
    log = folder / "log"
    with log.open("wb") as stream:
        try:
            line = children.command(WORKER, [str(folder)], python=runtime.python)
            process = children.start(
                line, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env
            )
        except OSError as error:
            return f"{runtime.python} cannot be started: {error}"
        try:
            finished = _wait(process, folder, timeout)
        finally:
            children.end(process)
    if not finished:
        return f"no answer within {timeout:g} s, so the process was ended"
    return ending(process.returncode, log) if process.returncode else ""


def _wait(process: subprocess.Popen[bytes], folder: Path, timeout: float) -> bool:
    """Wait while calls keep finishing. False if none did for ``timeout`` seconds."""
    seen, since = -1, time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(timeout, 0.5))
            return True
        count = sum(path.suffix == ".json" or path.name == "ready" for path in folder.iterdir())
        if count != seen:
            seen, since = count, time.monotonic()
        elif time.monotonic() - since > timeout:
            return False


def _collect(
    folder: Path,
    tasks: Sequence[Task],
    left: Sequence[int],
    end: str,
    results: dict[int, list[Outcome]],
) -> None:
    """Add what the child finished to ``results``, and what its end means for the rest."""
    if not (folder / "ready").exists():
        reason, status = end or "the process ended early", OutcomeStatus.CRASHED
        if (folder / "unavailable").exists():
            reason = (folder / "unavailable").read_text(encoding="utf-8", errors="replace")
            status = OutcomeStatus.UNAVAILABLE
        for number in left:
            results[number] = [Outcome(status, text=reason) for _ in tasks[number].calls]
        return
    for number in left:
        outcomes = []
        for place in range(len(tasks[number].calls)):
            outcome = _read(folder / f"{number}.{place}")
            if outcome is None:
                break
            outcomes.append(outcome)
        rest = len(tasks[number].calls) - len(outcomes)
        failed = any(outcome.status != OutcomeStatus.OK for outcome in outcomes)
        if rest and not failed:
            outcomes.append(Outcome(OutcomeStatus.CRASHED, text=end or "the process ended early"))
            rest -= 1
        outcomes += [Outcome(OutcomeStatus.SKIPPED, text="an earlier call failed")] * rest
        results[number] = outcomes
        if outcomes and outcomes[-1 - rest].status == OutcomeStatus.CRASHED:
            return  # the child died here; what comes after was not reached


def _read(place: Path) -> Outcome | None:
    """The outcome that the worker wrote; None if it did not come to that."""
    import numpy as np

    try:
        row = json.loads(place.with_name(place.name + ".json").read_text(encoding="utf-8"))
        if "error" in row:
            return Outcome(OutcomeStatus.ERROR, text=row["error"])
        outputs: dict[str, NDArray[Any]] = {}
        with np.load(place.with_name(place.name + ".npz"), allow_pickle=False) as arrays:
            for number, output in enumerate(row["outputs"]):
                value = arrays[str(number)]
                if output["strings"]:
                    shape, lengths = arrays[f"{number}.shape"], arrays[f"{number}.lengths"]
                    value = _strings(value.tobytes(), lengths.tolist(), tuple(shape.tolist()))
                outputs[output["name"]] = value
        return Outcome(OutcomeStatus.OK, outputs)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _strings(data: bytes, lengths: list[int], shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    array = np.empty(len(lengths), dtype=object)
    start = 0
    for number, length in enumerate(lengths):
        array[number] = data[start : start + length]
        start += length
    return array.reshape(shape)
