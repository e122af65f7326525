"""Whether two models answer alike, by running every signature that LiteRT can run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.execution import compare, inputs, runner, runtimes
from tflrepair.execution.entries import RunTarget, run_targets
from tflrepair.execution.runner import Outcome, RunCall, Task


@dataclass(frozen=True, eq=False)
class AgreementCase:
    """What is run: each entry twice in one interpreter, so that what it assigns counts, too.

    Left out are Flex operators, which LiteRT lacks, answers that are random by design, and
    inputs that cannot be made up.
    """

    targets: tuple[RunTarget, ...]
    calls: tuple[RunCall, ...]


def check(before: AnalysisContext, after: AnalysisContext) -> None:
    """Run both models and compare, within float32 rounding.

    Signatures, and the places of their inputs and outputs, must be the same in both.

    Raises:
        RefusedError: an answer differs, or only one of them gives one.
    """
    case = _case(before, after)
    with ThreadPoolExecutor(2) as pool:
        old, new = pool.map(lambda context: _run(case, context), (before, after))
    for entry, olds, news in zip(case.targets, old, new, strict=True):
        for one, other in zip(olds, news, strict=True):
            reason = _difference(entry, one, other)
            if reason:
                raise RefusedError(
                    f"the folded model answers differently in {entry.label}: {reason}",
                    hint="keep the model as it is (--strategy graft, with --freeze)",
                )


def _case(context: AnalysisContext, after: AnalysisContext) -> AgreementCase:
    others = {target.signature: target.call for target in run_targets(after)}
    # signatures that are one call under several keys in both models are run once
    calls = {
        (target.call, others.get(target.signature)): target
        for target in reversed(run_targets(context))
        if not target.flex and not target.random and not inputs.cannot_make_up(target)
    }
    found = tuple(reversed(calls.values()))
    return AgreementCase(found, tuple(RunCall(t.signature, inputs.random(t)) for t in found))


def _run(case: AgreementCase, context: AnalysisContext) -> list[list[Outcome]]:
    """The outcomes on the file of ``context``, with LiteRT's default delegate."""
    (runtime,) = runtimes.find(["litert"])
    return runner.run(runtime, _tasks(case, context))


def _tasks(case: AgreementCase, context: AnalysisContext) -> list[Task]:
    # Without signatures tensors go by index, and those differ between the models.
    places = {target.signature: target for target in run_targets(context)}
    tasks = []
    for target, call in zip(case.targets, case.calls, strict=True):
        here = places[target.signature]
        tensors = {a.name: b.tensor.index for a, b in zip(target.inputs, here.inputs, strict=True)}
        outputs = {
            a.name: b.tensor.index for a, b in zip(target.outputs, here.outputs, strict=True)
        }
        again = RunCall(target.signature, call.inputs, tensors, outputs)
        tasks.append(Task(str(context.model.path), (again, again)))
    return tasks


def _difference(entry: RunTarget, old: Outcome, new: Outcome) -> str:
    if old.status != new.status:
        return (
            f"{new.status} ({new.text})"
            if new.status != runner.OutcomeStatus.OK
            else f"not {old.status}"
        )
    for name, want in old.outputs.items():
        got = new.outputs.get(name)
        if got is None:
            return f"no output {name}"
        gap = compare.gap(name, got, want, compare.RTOL, compare.ATOL, nan_equal=True)
        if not gap.within:
            return f"{name} differs by {gap.max_abs}" if gap.max_abs else f"{name}: {gap.text}"
    return ""
