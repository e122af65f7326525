"""Whether what was lowered trains as TensorFlow's own kernels do, by running both.

Each signature that lost its Flex operators, or assigns, runs twice from the same start: with three
examples, and with one, where the batch is open. After the first call the variables are compared,
after both calls the outputs. How far two right answers may lie apart is measured: TensorFlow runs
once more with its inputs moved by a few roundings. A step that is chaotic (a unit at its kink, Adam
over a gradient of nearly 0) moves by itself then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import RefusedError
from tflrepair.execution import inputs, worker
from tflrepair.execution.entries import RunTarget, run_targets
from tflrepair.execution.runner import Outcome, OutcomeStatus, RunCall, Task, run
from tflrepair.execution.runtimes import Runtime, find
from tflrepair.graph.model import load
from tflrepair.passes.add_state.plan import GET
from tflrepair.rebuild.lower import nearness
from tflrepair.rebuild.lower.reference import LOOK, label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflrepair.rebuild.lower.convert import Result

Arrays = Mapping[str, "NDArray[Any]"]

ROWS = 3  # examples of an open batch, besides one alone
MOST_BYTES = 64 << 20  # that one example may have to be taken three times
SECONDS = 120.0  # of computing, tracing included, that a call may take


class _Kernels(Runtime):
    """TensorFlow's kernels, with the variables to be seen."""

    @property
    def module(self) -> str:
        return "tflrepair.rebuild.lower.reference"


@dataclass(frozen=True, eq=False)
class _Case:
    """A signature on one batch. ``unit``: the rounding of the floats that it computes with."""

    target: RunTarget
    given: Arrays
    unit: float


def check_training(
    before: AnalysisContext,
    old: Path,
    new: Path,
    lowered: Result,
) -> list[str]:
    """Run ``old`` under TensorFlow and the lowered ``new`` under LiteRT; what was compared.

    Left out, with a word, are signatures that draw random numbers, that need inputs that cannot
    be made up, and that TensorFlow itself cannot run on made-up inputs.

    Args:
        old: the file of ``before``.
        new: the file of ``lowered``.

    Raises:
        RefusedError: a variable or an output differs, or only TensorFlow gives an answer.
    """
    cases, notes = _cases(before, new, lowered.training)
    if not cases:
        return notes
    state = lowered.state
    if "litert" not in worker.installed():
        return [*notes, "training was not compared with TensorFlow's kernels: LiteRT is missing"]
    counts: dict[str, int] = {}
    for case, wanted, moved, got in _answers(cases, old, new, state):
        key = case.target.label
        failed = _failed([*wanted, *moved])
        if failed:
            notes.append(_left_out(key, f"they give no answer to made-up inputs ({failed})"))
            continue
        failed = _failed(got)
        if failed:
            raise _refusal(key, f"it does not run: {failed}")
        counts[key] = max(counts.get(key, 0), _compare(case, wanted, moved, got, state))
    return notes + [
        f"{key} agrees with TensorFlow's kernels, in {count} variables and outputs"
        for key, count in counts.items()
    ]


def _cases(
    before: AnalysisContext, new: Path, keys: frozenset[str]
) -> tuple[list[_Case], list[str]]:
    """What of ``keys`` can be compared, and in words what cannot."""
    here = {target.signature: target for target in run_targets(AnalysisContext(load(new)))}
    cases, notes = [], []
    for target in run_targets(before):
        mine = here.get(target.signature)
        if target.signature not in keys or mine is None:
            continue
        reason = "it draws random numbers" if target.random or mine.random else ""
        reason = reason or inputs.cannot_make_up(mine) or ""
        if reason:
            notes.append(_left_out(mine.label, reason))
            continue
        unit = nearness.unit_of(before.model, before.calls.reachable(target.subgraph))
        cases += [_Case(mine, batch, unit) for batch in _batches(mine)]
    return cases, notes


def _batches(target: RunTarget) -> list[Arrays]:
    """Inputs for ``ROWS`` examples and for one; only the latter if no batch is open, or it is
    large."""
    import numpy as np

    one = inputs.random(target)
    opened = {p.name for p in target.inputs if p.tensor.shape[:1] == (-1,)}
    if not opened or sum(array.nbytes for array in one.values()) > MOST_BYTES:
        return [one]
    rows = [one, *(inputs.random(target, inputs.SEED + n) for n in range(1, ROWS))]
    many = {n: np.concatenate([r[n] for r in rows]) if n in opened else one[n] for n in one}
    return [many, one]


def _answers(
    cases: Sequence[_Case], old: Path, new: Path, state: Mapping[str, ResourceId]
) -> Iterator[tuple[_Case, list[Outcome], list[Outcome], list[Outcome]]]:
    """Each case with what TensorFlow answers, to moved inputs too, and what LiteRT answers."""
    (litert,), (tensorflow,) = find(["litert"]), find(["tf.lite"])
    kernels = _Kernels(tensorflow.name, tensorflow.version, tensorflow.python)

    def task(model: Path, case: _Case, given: Arrays, look: str) -> Task:
        call = RunCall(case.target.signature, given)
        looks = (RunCall(look, {}),) if state else ()
        return Task(str(model), (*looks, call, *looks, call))

    tasks = [task(old, case, case.given, LOOK) for case in cases]
    tasks += [task(old, case, nearness.moved(case.given, case.unit), LOOK) for case in cases]
    theirs = run(kernels, tasks, timeout=SECONDS)
    ours = run(litert, [task(new, case, case.given, GET) for case in cases])
    count = len(cases)
    yield from zip(cases, theirs[:count], theirs[count:], ours, strict=True)


def _failed(outcomes: Sequence[Outcome]) -> str:
    """What the first failure says."""
    for outcome in outcomes:
        if outcome.status != OutcomeStatus.OK:
            return " ".join(outcome.text.split())[:300]
    return ""


def _compare(
    case: _Case,
    wanted: Sequence[Outcome],
    moved: Sequence[Outcome],
    got: Sequence[Outcome],
    state: Mapping[str, ResourceId],
) -> int:
    """How many variables and outputs were compared. Raises RefusedError where one differs."""
    rows: list[tuple[str, Any, Any, Any, Any]] = []
    if state:
        for name, key in state.items():
            start, want, near = (o.outputs[label(key)] for o in (wanted[0], wanted[2], moved[2]))
            rows.append((f"variable {name}", got[2].outputs[name], want, near, start))
    for place in (1, 3) if state else (0, 1):
        for name, value in got[place].outputs.items():
            want, near = wanted[place].outputs[name], moved[place].outputs[name]
            rows.append((f"output {name}", value, want, near, None))
    for what, value, want, near, start in rows:
        reason = nearness.excess(value, want, near, start, case.unit)
        if reason:
            raise _refusal(case.target.label, f"{what} {reason}")
    outputs = (len(rows) - len(state)) // 2
    return sum(nearness.tells(row[2], row[3]) for row in rows[: len(state) + outputs])


def _left_out(key: str, reason: str) -> str:
    return f"{key} was not compared with TensorFlow's kernels: {reason}"


def _refusal(key: str, text: str) -> RefusedError:
    return RefusedError(
        f"`{key}` without Flex does not do what TensorFlow's kernels do: {text}",
        hint=f"nothing was written; --keep-flex {key} keeps it. Please report this model",
    )
