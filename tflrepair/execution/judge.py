"""From outcomes to a verdict on one run: one signature, one runtime, one delegate mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tflrepair.execution import runner
from tflrepair.execution.compare import DELEGATE, distance, gap, not_finite
from tflrepair.execution.entries import RunTarget
from tflrepair.execution.result import ComparedTo, Comparison, Run, RunStatus, Symptom, shown
from tflrepair.execution.runner import Outcome
from tflrepair.findings import Finding
from tflrepair.views.quantized import dequantize

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZEROS = "zeros"
RANDOM = "random"
GIVEN = "given"

# What runtimes say of operators that they lack (tensorflow/lite/core/subgraph.cc, Prepare)
_NO_FLEX = "Select TensorFlow op(s)"
_NO_CUSTOM = "unresolved custom op"

_SYMPTOMS = {
    runner.OutcomeStatus.CRASHED: Symptom.CRASH,
    runner.OutcomeStatus.TIMEOUT: Symptom.TIMEOUT,
}

# What to do about a signature that was not run
FLEX_HINT = (
    "tflrepair verify MODEL --runtime tensorflow, or rewrite it with tflrepair fix MODEL --no-flex"
)
INPUTS_HINT = "tflrepair verify MODEL --inputs IN.npz"

_UNSET = "variable != nullptr was not true"
_UNSET_HINT = "it reads a variable that nothing has set; see `tflrepair scan`"


@dataclass(frozen=True, eq=False)
class JudgedInputs:
    """What one set of inputs gave.

    Attributes:
        first, second: the model in two fresh interpreters, the second in dirtied memory.
        plain: ``first`` without the delegate, where this run has it; else None.
        other: the other model's outcome, if there is one to compare with.
        expected: outputs that are wanted.
    """

    inputs: str
    first: Outcome
    second: Outcome
    plain: Outcome | None = None
    other: Outcome | None = None
    expected: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerance:
    """``quantized``: how far the answers of a quantized signature may be from what is expected
    (see ``compare.distance``); None: no farther than others. ``whole``: another model's answer may
    be as far as this share of its largest value, wherever it is."""

    rtol: float
    atol: float
    quantized: float | None = None
    whole: float = 0.0

    def of_all(self, to: ComparedTo) -> float:
        """The share of an output's largest value by which it may be off, wherever it is."""
        return {ComparedTo.AGAINST: self.whole, ComparedTo.NO_DELEGATE: DELEGATE * self.rtol}.get(
            to, 0.0
        )


def judge(
    entry: RunTarget,
    runtime: str,
    delegate: str,
    trials: Sequence[JudgedInputs],
    tolerance: Tolerance,
) -> Run:
    """The verdict on ``entry``, over all ``trials`` (one for each set of inputs)."""
    reason, hint = _not_run(entry, trials)
    if reason:
        return Run(entry.label, runtime, delegate, RunStatus.NOT_RUN, reason, hint=hint)
    case = _Case(entry, tolerance)
    for trial in trials:
        case.add(trial)
    findings = _soften(case.findings, trials)
    problem = any(finding.is_problem for finding in findings)
    return Run(
        signature=entry.label,
        runtime=runtime,
        delegate=delegate,
        status=RunStatus.PROBLEM if problem else RunStatus.OK,
        findings=tuple(findings),
        comparisons=tuple(case.comparisons),
    )


def _not_run(entry: RunTarget, trials: Sequence[JudgedInputs]) -> tuple[str, str]:
    """Why it is not the model's fault that there is no answer, and what to do; empty if it is."""
    for outcome in (trial.first for trial in trials):
        if outcome.status == runner.OutcomeStatus.UNAVAILABLE:
            return f"the runtime cannot be imported: {outcome.text}", ""
        if outcome.status == runner.OutcomeStatus.ERROR and _NO_FLEX in outcome.text:
            return "needs the Flex delegate, which this runtime lacks", FLEX_HINT
        if outcome.status == runner.OutcomeStatus.ERROR and _NO_CUSTOM in outcome.text:
            return f"needs a custom operator that this runtime lacks: {outcome.text}", ""
    if trials and all(_inputs_may_be_why(entry, trial) for trial in trials):
        text = " ".join(trials[0].first.text.split())
        return f"made-up inputs give an error, and they may be the reason: {text}", INPUTS_HINT
    return "", ""


def _inputs_may_be_why(entry: RunTarget, trial: JudgedInputs) -> bool:
    """Whether made-up sizes or values can be what the runtime refuses.

    Sizes count where the model leaves them open, values while operators compute. Before that,
    with sizes that the model fixes, the error is its own; so is one of the delegate alone.
    """
    outcome = trial.first
    if trial.inputs == GIVEN or not entry.inputs or _UNSET in outcome.text:
        return False
    if trial.plain is not None and trial.plain.status == runner.OutcomeStatus.OK:
        return False
    opened = any(
        -1 in p.tensor.shape or (not p.tensor.shape and not p.tensor.has_rank) for p in entry.inputs
    )
    return outcome.status == runner.OutcomeStatus.ERROR and (opened or not outcome.allocating)


class _Case:
    """Findings and comparisons of one run, as they are made."""

    def __init__(self, entry: RunTarget, tolerance: Tolerance) -> None:
        self.entry = entry
        self.tolerance = tolerance
        self.findings: list[Finding] = []
        self.comparisons: list[Comparison] = []

    def note(self, symptom: Symptom, trial: JudgedInputs, text: str) -> None:
        self.findings.append(shown(symptom, trial.inputs, text, self.entry.label))

    def add(self, trial: JudgedInputs) -> None:
        for outcome in (trial.first, trial.second):
            if outcome.status != runner.OutcomeStatus.OK:
                self.failed(trial, outcome)
                return
        self.finite(trial)
        kind = Symptom.NOTE if self.entry.random else Symptom.NOT_REPEATABLE
        why = "two fresh interpreters give different answers to the same input"
        why += " (it draws random numbers)" if self.entry.random else ": it reads unset memory"
        self.compare(trial, ComparedTo.REPEAT, trial.second.outputs, kind, why)
        if trial.plain is not None and trial.plain.status == runner.OutcomeStatus.OK:
            rounding = self.entry.random or self.entry.quantised
            kind = Symptom.NOTE if rounding else Symptom.DELEGATES_DIFFER
            why = "the answer differs from the one without the delegate"
            self.compare(trial, ComparedTo.NO_DELEGATE, trial.plain.outputs, kind, why)
        self.against(trial)
        kind, why = Symptom.NOT_EXPECTED, "the answer is not the expected one"
        self.compare(trial, ComparedTo.EXPECT, trial.expected, kind, why)

    def failed(self, trial: JudgedInputs, outcome: Outcome) -> None:
        kind = _SYMPTOMS.get(outcome.status, Symptom.ERROR)
        text = " ".join(outcome.text.split())
        if _UNSET in text:
            kind = Symptom.UNSET
            text += f" ({_UNSET_HINT})"
        elif trial.inputs != GIVEN and any(-1 in p.tensor.shape for p in self.entry.inputs):
            text += " (open dimensions were taken as 1; `--inputs` gives others)"
        self.note(kind, trial, text)

    def finite(self, trial: JudgedInputs) -> None:
        for name, value in trial.first.outputs.items():
            # the second run counts too: unset memory may happen to be harmless in the first
            again = trial.second.outputs.get(name)
            text = not_finite(value) or (not_finite(again) if again is not None else "")
            if text:
                self.note(Symptom.NOT_FINITE, trial, f"{name}: {text}")

    def against(self, trial: JudgedInputs) -> None:
        if trial.other is None:
            return
        kind = Symptom.NOTE if self.entry.random else Symptom.MODELS_DIFFER
        if trial.other.status != runner.OutcomeStatus.OK:
            text = f"the other model gives no answer: {' '.join(trial.other.text.split())}"
            self.note(Symptom.MODELS_DIFFER, trial, text)
            return
        why = "the answer differs from the other model's"
        self.compare(trial, ComparedTo.AGAINST, trial.other.outputs, kind, why)
        missing = trial.other.outputs.keys() ^ trial.first.outputs.keys()
        if missing:
            text = f"only one of the two models has the outputs {', '.join(sorted(missing))}"
            self.note(Symptom.MODELS_DIFFER, trial, text)

    def compare(
        self,
        trial: JudgedInputs,
        to: ComparedTo,
        wanted: Mapping[str, NDArray[Any]],
        kind: Symptom,
        why: str,
    ) -> None:
        for name, value in trial.first.outputs.items():
            if name not in wanted:
                continue
            # NaN is reported by itself; here only the expectation must not have one
            want = wanted[name]
            value, is_loose = self.as_expected(name, value, want, to)
            row = gap(
                name,
                value,
                want,
                self.tolerance.rtol,
                self.tolerance.atol,
                nan_equal=to != ComparedTo.EXPECT,
            )
            far = distance(value, want) if is_loose and not row.within else None
            within = row.within or (far is not None and far <= (self.tolerance.quantized or 0))
            if row.share is not None:
                within = within or row.share <= self.tolerance.of_all(to)
            self.comparisons.append(
                Comparison(to, trial.inputs, name, within, row.max_abs, row.max_rel, far)
            )
            if not within:
                size = row.text or f"by up to {row.max_abs:.3g}, relative {row.max_rel:.3g}"
                self.note(kind, trial, f"{name}: {why}: {size}")

    def as_expected(
        self, name: str, value: NDArray[Any], want: NDArray[Any], to: ComparedTo
    ) -> tuple[NDArray[Any], bool]:
        """(the answer as what it stands for, whether rounding to few bits is allowed for)."""
        if to != ComparedTo.EXPECT or want.dtype.kind != "f":
            return value, False
        tensor = next(port.tensor for port in self.entry.outputs if port.name == name)
        is_loose = self.entry.quantised and self.tolerance.quantized is not None
        return dequantize(value, tensor), is_loose


def _soften(findings: Sequence[Finding], trials: Sequence[JudgedInputs]) -> list[Finding]:
    """Made-up inputs can be what is wrong; then a finding is a note.

    Zeros make log and division by a norm infinite in healthy models or are refused as a size, and
    random integers may lie outside a table. So NaN for zeros alone, or an error for zeros or for
    random values alone, is a note. The error of an unset variable is a kind of its own and never
    softened.
    """
    problems = {finding.inputs for finding in findings if finding.is_problem}
    if len(trials) < 2 or len(problems) != 1:
        return list(findings)
    (inputs,) = problems
    soft = {ZEROS: (Symptom.NOT_FINITE, Symptom.ERROR), RANDOM: (Symptom.ERROR,)}.get(inputs, ())
    hard = [f for f in findings if f.is_problem and (f.code not in soft)]
    if hard:
        return list(findings)
    return [
        shown(
            Symptom.NOTE,
            f.inputs,
            f"{f.message} (only with made-up {inputs}: check --inputs)",
            str(f.location.signature),
        )
        for f in findings
    ]
