"""Runs tasks in child processes and turns whatever happens to them into outcomes.

A task is a sequence of calls in one fresh interpreter. A child that dies or stands still costs
the task that it was at; the tasks behind it go on in a new child.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.execution.result import Outcome, OutcomeStatus, read
from tflrepair.execution.runtimes import HUGE_PAGES, WORKER, Runtime, environment, tuned
from tflrepair.leftovers import workspace
from tflrepair.processes import children
from tflrepair.processes.ending import ending, signal_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Outcome", "OutcomeStatus", "RunCall", "Task", "run"]


# Seconds of computing that a call may take, and bytes of model that allow for one second more. What
# a phone can do takes a computer milliseconds; a loop without end would take all the time there is.
SECONDS = 10.0
BYTES_PER_SECOND = 20e6
# Seconds of the clock without a sign of life, where computing time cannot be limited (Windows) or
# the child computes nothing; importing tensorflow on a busy machine takes up to a minute.
_START, _SILENCE = 300.0, 10.0
_MOST_TIMEOUTS = 2  # calls that may run out of time before no more are tried
# All calls together may compute as long as so many may: 100 KB have hundreds of signatures.
_WHOLE = 30
_MOST_DEATHS = 100  # processes that calls may end before no more are tried

# glibc fills what malloc returns with the complement of MALLOC_PERTURB_ (man mallopt), but not what
# its thread cache hands out again, so that is off; macOS fills with 0xAA (man malloc). Memory that
# a runtime never wrote then reads 3.4e38 as float32, not the zeros of a fresh page.
DIRTY_MEMORY = {"MALLOC_PERTURB_": str(0x7F ^ 0xFF), "MallocPreScribble": "1"}
_NO_CACHE = "glibc.malloc.tcache_count=0"


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


def run(
    runtime: Runtime,
    tasks: Sequence[Task],
    *,
    dirty: bool = False,
    timeout: float | None = None,
) -> list[list[Outcome]]:
    """Run ``tasks`` in order; outcomes by task and call.

    Args:
        dirty: fill fresh memory with a pattern, which shows variables that nothing initialises.
        timeout: seconds that a call may compute; default: ``SECONDS`` and more for large models.
    """
    if not tasks:
        return []
    seconds = timeout or SECONDS + max(_size(task.model) for task in tasks) / BYTES_PER_SECOND
    with workspace() as folder:
        rows = _write_inputs(folder, tasks)
        results: dict[int, list[Outcome]] = {}
        whole, deaths = _WHOLE * seconds, 0
        while len(results) < len(tasks):
            left = [n for n in range(len(tasks)) if n not in results]
            job = {
                "module": runtime.module,
                "tasks": [rows[n] for n in left],
                "seconds": seconds,
                "whole": whole,
            }
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            end = _child(runtime, folder, dirty, seconds)
            _collect(folder, tasks, left, end, results)
            _give_up(tasks, results)
            whole -= _spent(folder)
            deaths += 1
            if (folder / "over").exists() or whole <= 0:
                text = f"not run: all runs together computed for more than {_WHOLE * seconds:.0f} s"
                _leave(tasks, results, OutcomeStatus.TIMEOUT, text)
            elif deaths >= _MOST_DEATHS:
                text = f"not run: {deaths} other runs ended their process"
                _leave(tasks, results, OutcomeStatus.CRASHED, text)
        return [results[n] for n in range(len(tasks))]


def _size(model: str) -> int:
    path = Path(model)
    return path.stat().st_size if path.exists() else 0


def _spent(folder: Path) -> float:
    """Seconds that the child had computed when it began with its last task."""
    try:
        return float((folder / "spent").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0


def _leave(
    tasks: Sequence[Task], results: dict[int, list[Outcome]], status: OutcomeStatus, text: str
) -> None:
    """Answer all that is left."""
    for number, task in enumerate(tasks):
        results.setdefault(number, [Outcome(status, text=text) for _ in task.calls])


def _give_up(tasks: Sequence[Task], results: dict[int, list[Outcome]]) -> None:
    """Answer what is left where it would only run out of time as well: other inputs of a call that
    did, and everything after some of them."""
    late = {
        (tasks[n].model, tasks[n].calls[0].signature)
        for n, outcomes in results.items()
        if any(outcome.status == OutcomeStatus.TIMEOUT for outcome in outcomes)
    }
    for number, task in enumerate(tasks):
        if number in results:
            continue
        if (task.model, task.calls[0].signature) in late:
            text = "not run again: it ran out of time in another run"
        elif len(late) >= _MOST_TIMEOUTS:
            text = f"not run: {len(late)} other signatures ran out of time"
        else:
            continue
        results[number] = [Outcome(OutcomeStatus.TIMEOUT, text=text) for _ in task.calls]


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


@dataclass(frozen=True)
class _End:
    """How the child ended; ``text`` is empty if it came to its end by itself."""

    text: str = ""
    late: bool = False


def _child(runtime: Runtime, folder: Path, dirty: bool, seconds: float) -> _End:
    """Run the worker to its end."""
    for name in ("ready", "unavailable", "spent"):
        (folder / name).unlink(missing_ok=True)
    env = environment(runtime.python, folder.absolute())
    if dirty:
        env = tuned(env | DIRTY_MEMORY, f"{_NO_CACHE}:{HUGE_PAGES}")
    log = folder / "log"
    with log.open("wb") as stream:
        try:
            line = children.command(WORKER, [str(folder)], python=runtime.python)
            process = children.start(
                line, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env
            )
        except OSError as error:
            return _End(f"{runtime.python} cannot be started: {error}")
        try:
            finished = _wait(process, folder, seconds * _SILENCE)
        finally:
            children.end(process)
    if not finished or signal_name(process.returncode) == "SIGPROF":
        text = f"no answer within {seconds:g} s of computing, so the process was stopped"
        return _End(text, late=True)
    return _End(ending(process.returncode, log) if process.returncode else "")


def _wait(process: subprocess.Popen[bytes], folder: Path, silence: float) -> bool:
    """Wait while calls keep finishing. False if none did for ``silence`` seconds."""
    seen, since = -1, time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            return True
        count = sum(path.suffix == ".json" or path.name == "ready" for path in folder.iterdir())
        if count != seen:
            seen, since = count, time.monotonic()
        elif time.monotonic() - since > (silence if count else _START):
            return False


_DEAD = (OutcomeStatus.CRASHED, OutcomeStatus.TIMEOUT)


def _collect(
    folder: Path,
    tasks: Sequence[Task],
    left: Sequence[int],
    end: _End,
    results: dict[int, list[Outcome]],
) -> None:
    """Add what the child finished to ``results``, and what its end means for the rest."""
    if not (folder / "ready").exists():
        reason, status = end.text or "the process ended early", OutcomeStatus.CRASHED
        if (folder / "unavailable").exists():
            reason = (folder / "unavailable").read_text(encoding="utf-8", errors="replace")
            status = OutcomeStatus.UNAVAILABLE
        for number in left:
            results[number] = [Outcome(status, text=reason) for _ in tasks[number].calls]
        return
    for number in left:
        outcomes = []
        for place in range(len(tasks[number].calls)):
            outcome = read(folder / f"{number}.{place}")
            if outcome is None:
                break
            outcomes.append(outcome)
        if not outcomes and (folder / "over").exists():
            return  # it ended before this task
        rest = len(tasks[number].calls) - len(outcomes)
        failed = any(outcome.status != OutcomeStatus.OK for outcome in outcomes)
        if rest and not failed:
            status = OutcomeStatus.TIMEOUT if end.late else OutcomeStatus.CRASHED
            outcomes.append(Outcome(status, text=end.text or "the process ended early"))
            rest -= 1
        outcomes += [Outcome(OutcomeStatus.SKIPPED, text="an earlier call failed")] * rest
        results[number] = outcomes
        if outcomes and outcomes[-1 - rest].status in _DEAD:
            return  # the child died here; what comes after was not reached
