"""Verification by running: every signature, each runtime, with and without the default delegate.

Each signature runs in fresh interpreters of child processes, twice: once as it comes, and once
with freshly allocated memory filled with a pattern. A variable that nothing sets then shows as two
different answers, also where the first one looks plausible.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from math import inf
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.containers.find import load_model
from tflrepair.containers.on_disk import on_disk
from tflrepair.errors import UserError
from tflrepair.execution import inputs as values
from tflrepair.execution import judge, runner
from tflrepair.execution.compare import ATOL, RTOL
from tflrepair.execution.entries import RunTarget, run_targets
from tflrepair.execution.plans import Plan, plans_of, with_other
from tflrepair.execution.result import Run, RunStatus, Symptom, VerifyReport, shown
from tflrepair.execution.runner import Outcome, RunCall, Task
from tflrepair.execution.runtimes import Runtime, find
from tflrepair.graph.model import Source
from tflrepair.processes import children

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["VerifyReport", "verify"]


def verify(
    model: AnalysisContext | Source,
    *,
    against: AnalysisContext | Source | None = None,
    inputs: values.Source | None = None,
    expect: values.Source | None = None,
    signature: str | None = None,
    rtol: float = RTOL,
    atol: float = ATOL,
    runtimes: Sequence[str] | None = None,
    python: str | None = None,
    timeout: float | None = None,
    quantized: float | None = None,
    whole: float = 0.0,
) -> VerifyReport:
    """Run the signatures of a model and judge the answers.

    Args:
        model: a path (which may lead into an archive), the bytes of a .tflite file, a Model, or
            its context if it has one already.
        against: another .tflite whose answers to the same inputs must agree.
        inputs: an .npz file or a mapping, input name (or ``signature/name``) -> array. Without
            it, zeros and seeded random values are made up.
        expect: the same for outputs: what the answers to ``inputs`` must be.
        signature: run this one only.
        rtol: |got - wanted| <= atol + rtol * |wanted|, for floats; others must be equal.
        atol: see ``rtol``.
        runtimes: ``litert``, ``tf.lite``, or ``tensorflow`` (the module rebuilt from
            the file, which runs Flex operators, too); default: the first two, where installed.
        python: path of another Python interpreter whose runtimes are used.
        quantized: how far floats that are expected of a quantized signature may be from its
            answers (see ``compare.distance``); default: as ``rtol`` and ``atol`` say.
        whole: a share of an output's largest value by which the answer of ``against`` may be off,
            besides ``rtol`` and ``atol``: what sums of large terms leave where they cancel.
        timeout: seconds that one call may compute; default: see ``runner.SECONDS``.

    Raises:
        BadFileError: a model or an .npz file cannot be read.
        UserError: no such signature; inputs or expectations that do not fit.
        UnsupportedError: no runtime is installed.
    """
    if not (0 <= rtol < inf and 0 <= atol < inf and (timeout is None or timeout > 0)):
        raise UserError("tolerances are finite and not negative, and the timeout is positive")
    context = _context(model)
    plans = plans_of(context, signature, inputs, expect)
    rival = _context(against) if against is not None else None
    if rival is not None:
        others = {entry.signature: entry for entry in run_targets(rival)}
        plans = [with_other(plan, others) for plan in plans]
    found = find(runtimes, python)
    with on_disk(context.model) as own, on_disk((rival or context).model) as other:
        trials = [_Trials(str(own), str(other), each, plans, timeout) for each in found]
        _run_all(trials)
    tolerance = judge.Tolerance(rtol, atol, quantized, whole)
    runs = [run for trial in trials for run in trial.verdicts(tolerance)]
    name = context.model.path or "the given model"
    against_name = (rival.model.path or "the other model") if rival is not None else None
    return VerifyReport(name, tuple(runs), rtol, atol, against_name, python)


def _context(model: AnalysisContext | Source) -> AnalysisContext:
    return model if isinstance(model, AnalysisContext) else AnalysisContext(load_model(model))


def _run_all(trials: Sequence[_Trials]) -> None:
    """All children at once: starting one costs 0.3 s, or several with tensorflow."""
    jobs = [(trial, dirty) for trial in reversed(trials) for dirty in (False, True)]
    with ThreadPoolExecutor(max_workers=max(2, min(len(jobs), os.cpu_count() or 1))) as pool:
        try:
            for done in [pool.submit(trial.run, dirty) for trial, dirty in jobs]:
                done.result()
        except BaseException:  # Ctrl-C, say: nobody waits for the others
            pool.shutdown(wait=False, cancel_futures=True)
            children.end_all()
            raise


# (entry's place in the plans, inputs, delegate, whose model)
_Place = tuple[int, str, str, str]


class _Trials:
    """One runtime's tasks, by place, and their outcomes in clean and in dirtied memory."""

    def __init__(
        self,
        path: str,
        other: str,
        runtime: Runtime,
        plans: list[Plan],
        timeout: float | None,
    ) -> None:
        self.paths = {"own": path, "other": other}
        self.runtime = runtime
        self.plans = plans
        self.timeout = timeout
        self.twins = _twins(plans)
        self.clean: dict[_Place, Outcome] = {}
        self.dirty: dict[_Place, Outcome] = {}

    def not_run(self, plan: Plan) -> tuple[str, str]:
        """(why it is not run, what to do); both empty if it is."""
        if plan.entry.flex and not self.runtime.may_have_flex:
            names = ", ".join(plan.entry.flex[:4])
            return f"needs Flex ({names}), which this runtime lacks", judge.FLEX_HINT
        return plan.reason, plan.hint if plan.reason else ""

    def run(self, dirty: bool) -> None:
        places: list[_Place] = []
        tasks: list[Task] = []
        for number, plan in enumerate(self.plans):
            if self.not_run(plan)[0] or plan.endless or self.twins[number] != number:
                continue
            owners = [("own", plan.entry)]
            if plan.other is not None and not dirty:
                owners.append(("other", plan.other))
            for owner, entry in owners:
                for kind, arrays in plan.sets.items():
                    call = call_of(entry, plan.entry, arrays)
                    for delegate in self.runtime.delegates:
                        places.append((number, kind, delegate, owner))
                        tasks.append(Task(self.paths[owner], (call,), delegate == "default"))
        results = runner.run(self.runtime, tasks, dirty=dirty, timeout=self.timeout)
        outcomes = dict(zip(places, (calls[0] for calls in results), strict=True))
        (self.dirty if dirty else self.clean).update(outcomes)

    def verdicts(self, tolerance: judge.Tolerance) -> list[Run]:
        return [
            self.verdict(number, plan, delegate, tolerance)
            for number, plan in enumerate(self.plans)
            for delegate in self.runtime.delegates
        ]

    def verdict(self, number: int, plan: Plan, delegate: str, tolerance: judge.Tolerance) -> Run:
        label = self.runtime.label
        reason, hint = self.not_run(plan)
        if reason:
            return Run(plan.entry.label, label, delegate, RunStatus.NOT_RUN, reason, hint=hint)
        if plan.endless:
            finding = shown(Symptom.TIMEOUT, "", plan.endless, plan.entry.label)
            return Run(plan.entry.label, label, delegate, RunStatus.PROBLEM, findings=(finding,))
        if plan.other_missing:
            finding = shown(Symptom.MODELS_DIFFER, "", plan.other_missing, plan.entry.label)
            return Run(plan.entry.label, label, delegate, RunStatus.PROBLEM, findings=(finding,))
        number = self.twins[number]
        trials = [
            judge.JudgedInputs(
                inputs=kind,
                first=self.clean[(number, kind, delegate, "own")],
                second=self.dirty[(number, kind, delegate, "own")],
                plain=self.plain(number, kind, delegate),
                other=self.other(number, kind, delegate, plan),
                expected=plan.expected or {},
            )
            for kind in plan.sets
        ]
        return judge.judge(plan.entry, label, delegate, trials, tolerance)

    def plain(self, number: int, kind: str, delegate: str) -> Outcome | None:
        """The outcome without a delegate, to hold one with the delegate against."""
        return self.clean.get((number, kind, "none", "own")) if delegate != "none" else None

    def other(self, number: int, kind: str, delegate: str, plan: Plan) -> Outcome | None:
        """The other model's outcome, under the output names of ours where there are no keys."""
        outcome = self.clean.get((number, kind, delegate, "other"))
        if outcome is None or plan.other is None or plan.entry.signature is not None:
            return outcome
        names = {
            o.name: m.name for o, m in zip(plan.other.outputs, plan.entry.outputs, strict=False)
        }
        renamed = {names.get(name, name): value for name, value in outcome.outputs.items()}
        return Outcome(outcome.status, renamed, outcome.text)


def _twins(plans: Sequence[Plan]) -> list[int]:
    """For each plan the first that makes the same calls: signatures may differ in their keys alone.

    A file of 100 KB has hundreds of them, each of which would be run eight times.
    """
    calls = [(p.entry.call, p.other.call if p.other is not None else None) for p in plans]
    often, known = Counter(calls), dict[tuple[object, ...], int]()
    found = []
    for number, (plan, call) in enumerate(zip(plans, calls, strict=True)):
        arrays: list[object] = []
        if often[call] > 1:  # inputs may be large
            sets = plan.sets.items()
            arrays = [(kind, name, *_bits(a)) for kind, s in sets for name, a in s.items()]
        found.append(known.setdefault((call, *arrays), number))
    return found


def _bits(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, sha256(array.tobytes()).digest()


def call_of(entry: RunTarget, mine: RunTarget, arrays: Mapping[str, NDArray[Any]]) -> RunCall:
    """A call of ``entry`` with the arrays made for ``mine``; without keys they go by position."""
    if entry.signature is None:
        arrays = {
            port.name: arrays[own.name] for port, own in zip(entry.inputs, mine.inputs, strict=True)
        }
    return RunCall(
        signature=entry.signature,
        inputs=arrays,
        tensors={port.name: port.tensor.index for port in entry.inputs},
        outputs={port.name: port.tensor.index for port in entry.outputs},
    )
