"""What to run of a model, on which inputs, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import endless_loop
from tflrepair.errors import UserError
from tflrepair.execution import inputs as values
from tflrepair.execution import judge
from tflrepair.execution.entries import RunTarget, run_targets
from tflrepair.wording import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Interpreter of LiteRT 2.3 and tf.lite 2.21: `Input tensor 1 lacks data`; CompiledModel reads them
_BESIDE = "its weights are in a file beside the model, which interpreters do not read"
_BESIDE_HINT = "run it with ai_edge_litert.compiled_model.CompiledModel.from_file"


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do with one entry: sets of inputs by kind, or why nothing can be done.

    Attributes:
        hint: what to do where there is a ``reason``.
        endless: why it would never answer, known without a run.
    """

    entry: RunTarget
    sets: Mapping[str, Mapping[str, NDArray[Any]]]
    reason: str = ""
    expected: Mapping[str, NDArray[Any]] | None = None
    other: RunTarget | None = None
    other_missing: str = ""
    hint: str = judge.INPUTS_HINT
    endless: str = ""


def plans_of(
    context: AnalysisContext,
    signature: str | None,
    inputs: values.Source | None,
    expect: values.Source | None,
) -> list[Plan]:
    """What to run. Nothing of a model with values in other files, which no interpreter reads."""
    plans = [
        _that_end(context, plan) for plan in _plans(run_targets(context, signature), inputs, expect)
    ]
    if not context.model.external_buffers:
        return plans
    return [replace(plan, sets={}, reason=_BESIDE, hint=_BESIDE_HINT) for plan in plans]


def _that_end(context: AnalysisContext, plan: Plan) -> Plan:
    loop = endless_loop(context, plan.entry.subgraph) if plan.sets else None
    if loop is None:
        return plan
    return replace(plan, endless=f"not run: {loop.place} never ends (TFR033)")


def _plans(
    found: Sequence[RunTarget], inputs: values.Source | None, expect: values.Source | None
) -> list[Plan]:
    if inputs is None:
        if expect is not None:
            raise UserError(
                "expected outputs need the inputs that they belong to",
                hint="give --inputs as well as --expect",
            )
        return [_made_up(entry) for entry in found]
    given = values.read(inputs, "the inputs file")
    plans = [_given(entry, given) for entry in found]
    if not any(plan.sets for plan in plans):
        _refuse("inputs", given, {e.label: [p.text for p in e.inputs] for e in found})
    if expect is None:
        return plans
    wanted = values.read(expect, "the expectation file")
    plans = [_with_expected(plan, wanted) for plan in plans]
    _check_expected(wanted, given, plans)
    return plans


def _made_up(entry: RunTarget) -> Plan:
    reason = values.cannot_make_up(entry)
    if reason:
        return Plan(entry, {}, reason)
    if not entry.inputs:
        return Plan(entry, {judge.ZEROS: {}})
    return Plan(entry, {judge.ZEROS: values.zeros(entry), judge.RANDOM: values.random(entry)})


def _given(entry: RunTarget, given: Mapping[str, NDArray[Any]]) -> Plan:
    found = values.select(given, entry, entry.inputs)
    missing = [port.text for port in entry.inputs if port.name not in found]
    if missing:
        return Plan(entry, {}, f"not among the given inputs: {'; '.join(missing)}")
    return Plan(entry, {judge.GIVEN: values.fit(found, entry)})


def _with_expected(plan: Plan, wanted: Mapping[str, NDArray[Any]]) -> Plan:
    if not plan.sets:
        return plan
    found = values.select(wanted, plan.entry, plan.entry.outputs)
    return Plan(plan.entry, plan.sets, plan.reason, found)


def _check_expected(
    wanted: Mapping[str, NDArray[Any]], given: Mapping[str, NDArray[Any]], plans: Sequence[Plan]
) -> None:
    """A name that nothing will be held against would pass unseen: refuse it.

    Names that are inputs are left alone, so one file can hold both.
    """
    used = {name for plan in plans for name in plan.expected or ()}
    used |= {f"{plan.entry.label}/{name}" for plan in plans for name in plan.expected or ()}
    stray = [name for name in wanted if name not in used and name not in given]
    if stray or not used:
        options = {p.entry.label: [o.text for o in p.entry.outputs] for p in plans if p.sets}
        _refuse("expected outputs", stray or wanted, options)


def _refuse(what: str, names: Mapping[str, Any] | list[str], wanted: dict[str, list[str]]) -> None:
    listed = ", ".join(names) or "nothing"
    rows = "; ".join(f"{label}: {', '.join(ports) or 'none'}" for label, ports in wanted.items())
    raise UserError(f"the {what} ({listed}) do not fit any signature", hint=f"expected: {rows}")


def with_other(plan: Plan, others: Mapping[str | None, RunTarget]) -> Plan:
    """``plan`` with the other model's entry of the same name, if it takes the same inputs."""
    mine = plan.entry
    other = others.get(mine.signature)
    missing = ""
    if other is None:
        missing = f"the other model has no signature {mine.label!r}"
    elif mine.signature is not None and {p.name for p in other.inputs} != {
        p.name for p in mine.inputs
    }:
        missing = f"the other model takes {', '.join(p.text for p in other.inputs) or 'no inputs'}"
    elif len(other.inputs) != len(mine.inputs):
        missing = (
            f"the other model takes {plural(len(other.inputs), 'input')}, not {len(mine.inputs)}"
        )
    if missing:
        other = None
    return Plan(mine, plan.sets, plan.reason, plan.expected, other, missing)
