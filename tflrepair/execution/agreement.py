"""Whether two models answer alike, by running every signature that LiteRT can run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tflrepair.errors import RefusedError
from tflrepair.execution import compare, inputs, runner, runtimes
from tflrepair.execution.entries import RunTarget, entries
from tflrepair.execution.runner import Outcome, RunCall, Task
from tflrepair.graph.model import Model

# Seconds for one run. What takes longer before and after the fold is not compared further.
TIMEOUT = 60.0


@dataclass(frozen=True, eq=False)
class AgreementCase:
    """What is run: each entry twice in one interpreter, so that what it assigns counts, too.

    Left out are Flex operators, which LiteRT lacks, answers that are random by design, and
    inputs that cannot be made up.
    """

    entries: tuple[RunTarget, ...]
    calls: tuple[RunCall, ...]


def plan(model: Model) -> AgreementCase:
    """Signatures of ``model``; both models have the same, input and output places included."""
    found = tuple(
        entry
        for entry in entries(model)
        if not entry.flex and not entry.random and not inputs.cannot_make_up(entry)
    )
    return AgreementCase(found, tuple(RunCall(e.signature, inputs.random(e)) for e in found))


def run(trial: AgreementCase, path: Path) -> list[list[Outcome]]:
    """The outcomes of ``trial`` on the file ``path``, with LiteRT's default delegate."""
    (runtime,) = runtimes.find(["litert"])
    return runner.run(runtime, _tasks(trial, path), timeout=TIMEOUT)


def _tasks(trial: AgreementCase, path: Path) -> list[Task]:
    from tflrepair.graph.model import load

    # Without signatures tensors go by index, and those differ between the models.
    places = {entry.signature: entry for entry in entries(load(path))}
    tasks = []
    for entry, call in zip(trial.entries, trial.calls, strict=True):
        here = places[entry.signature]
        tensors = {a.name: b.tensor.index for a, b in zip(entry.inputs, here.inputs, strict=True)}
        outputs = {a.name: b.tensor.index for a, b in zip(entry.outputs, here.outputs, strict=True)}
        again = RunCall(entry.signature, call.inputs, tensors, outputs)
        tasks.append(Task(str(path), (again, again)))
    return tasks


def check(trial: AgreementCase, before: list[list[Outcome]], after: list[list[Outcome]]) -> None:
    """Raises RefusedError where the outcomes are not the same within float32 rounding."""
    for entry, olds, news in zip(trial.entries, before, after, strict=True):
        for old, new in zip(olds, news, strict=True):
            reason = _difference(entry, old, new)
            if reason:
                raise RefusedError(
                    f"the folded model answers differently in {entry.label}: {reason}",
                    hint="keep the model as it is (--strategy graft, with --freeze)",
                )


def _difference(entry: RunTarget, old: Outcome, new: Outcome) -> str:
    if old.status != new.status:
        return f"{new.status} ({new.text})" if new.status != runner.OK else f"not {old.status}"
    for name, want in old.outputs.items():
        got = new.outputs.get(name)
        if got is None:
            return f"no output {name}"
        gap = compare.gap(name, got, want, compare.RTOL, compare.ATOL, nan_equal=True)
        if not gap.within:
            return f"{name} differs by {gap.max_abs}" if gap.max_abs else f"{name}: {gap.text}"
    return ""
