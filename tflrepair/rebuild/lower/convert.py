"""A model without Flex operators: rebuilt, lowered, converted with builtin operators only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.errors import RefusedError
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import Model, Signature, from_bytes
from tflrepair.leftovers import workspace
from tflrepair.passes.add_state.plan import GET, SET
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.ir.steps import Raw
from tflrepair.rebuild.lower.choose import Chosen, choose, steps_of
from tflrepair.rebuild.lower.module import InexpressibleError, Lowered, place, refusal
from tflrepair.rebuild.requests import NoFlex
from tflrepair.rebuild.run.starting_values import Values, starting_values
from tflrepair.rewrite.signature_names import Names, rename_signatures
from tflrepair.tensorflow.convert import LeftoverError, convert_saved_model
from tflrepair.tensorflow.save import save
from tflrepair.wording import plural

_HINT = "please report this model: every operator was lowered, yet the converter wants others"


@dataclass(frozen=True)
class Result:
    """The new file, and what was done, in words.

    Attributes:
        state: the variable behind each name that was added to ``get_weights``.
        training: keys of signatures that had TensorFlow operators, or assign variables.
    """

    data: bytes = field(repr=False)
    notes: tuple[str, ...]
    state: Mapping[str, ResourceId]
    training: frozenset[str]


def lower_flex(source: AnalysisContext | Model, values: Values, options: NoFlex) -> Result:
    """A model rebuilt without Flex operators, with signatures to get and set its variables.

    Signatures keep their names, and their inputs and outputs their names and order; what reads or
    writes checkpoint files is dropped unless it is to be kept. Variables that nothing assigns are
    constants in the result.

    Raises:
        BadFileError: the model is damaged.
        UserError: ``options`` do not fit the model.
        UnsupportedError: operators, options or types are not covered, or TensorFlow cannot convert
            the result.
        RefusedError: values are missing or do not fit, or the converted file is not as it must be.
    """
    options.check()
    context = context_of(source)
    plan = make_plan(context)
    names = [(v.name, v.key) for v in context.analysis.variables]
    chosen = choose(plan, options, names)
    starts = starting_values(plan, values)
    present = [(name, key) for name, key in names if key in starts.variables]
    chosen = choose(plan, options, present)
    lowered = Lowered(chosen, starts, options)
    wanted = lowered.names()
    data = _converted(lowered, options, wanted)
    _check(data, wanted, options)
    return Result(data, _notes(chosen, lowered, options), chosen.state, chosen.training)


def _converted(lowered: Lowered, options: NoFlex, wanted: Mapping[str, Names]) -> bytes:
    import tensorflow as tf

    kinds = tf.lite.OpsSet
    ops = [kinds.TFLITE_BUILTINS] + ([kinds.SELECT_TF_OPS] if options.keep else [])
    # What was the first subgraph stays the first: the converter sorts by key.
    keys = {f"signature_{number:04}": key for number, key in enumerate(lowered.functions)}
    functions = {number: lowered.functions[key] for number, key in keys.items()}
    with workspace() as folder:
        save(lowered.module, folder, functions)
        target = {"target_spec": tf.lite.TargetSpec(supported_ops=ops)}
        try:
            data = convert_saved_model(folder, list(functions), target, hint=_HINT)
        except LeftoverError as error:
            raise _placed(error, lowered) from error
    return rename_signatures(data, wanted, keys)


def _placed(error: LeftoverError, lowered: Lowered) -> InexpressibleError:
    """Where the operators stand that have a builtin, but none for the types that they have here."""
    return refusal(
        {
            (name, "no builtin operator takes its types"): _places(lowered, name, kinds)
            for name, kinds in error.operators.items()
        }
    )


def _places(lowered: Lowered, name: str, kinds: frozenset[str]) -> list[str]:
    """Of each operator of the model that is ``name`` in TensorFlow's graph, or became it."""
    made = [(row, key) for key, rows in lowered.made.items() for row in rows if row.kind == name]
    exact = [pair for pair in made if pair[0].dtype in kinds]
    found = [place(row.site, key) for row, key in exact or made]
    plan = lowered.chosen.plan
    for entry in () if found else plan.entries:
        steps = [step for step in steps_of(plan, entry) if isinstance(step, Raw)]
        found += [place(step.site, entry.key) for step in steps if step.name == name]
    return list(dict.fromkeys(found))


def _names(signature: Signature) -> tuple[list[str], list[str]]:
    return [name for name, _ in signature.inputs], [name for name, _ in signature.outputs]


def _check(data: bytes, wanted: Any, options: NoFlex) -> None:
    """The postcondition, on the bytes.

    Raises:
        RefusedError: a variable has no value, a signature is not as it should be, or one that is
            not to be kept reaches a Flex operator.
    """
    model = from_bytes(data)
    context = AnalysisContext(model)
    well = (VariableStatus.INITIALIZED, VariableStatus.UNREAD)
    unset = [v.name for v in context.analysis.variables if v.status not in well]
    if unset:
        raise RefusedError(
            "the converted model has variables without a value: " + ", ".join(unset[:8])
        )
    found = {s.key: _names(s) for s in model.signatures}
    for key, (_, inputs, outputs) in wanted.items():
        if found.get(key) != (inputs, outputs):
            raise RefusedError(
                f"the converted model's signature {key} is {found.get(key)} instead of "
                f"{(inputs, outputs)}"
            )
    for entry in run_targets(context):
        if entry.flex and entry.signature not in options.keep:
            raise RefusedError(
                f"signature {entry.signature} still has Flex operators: {', '.join(entry.flex)}"
            )


def _notes(chosen: Chosen, lowered: Lowered, options: NoFlex) -> tuple[str, ...]:
    notes = ["rebuilt without Flex operators"]
    for key, names in chosen.dropped.items():
        notes.append(
            f"signature {key} dropped: {', '.join(names)} cannot do without Flex; {GET} and {SET} "
            f"take its place (--keep-flex {key} would keep it)"
        )
    for key, names in chosen.kept.items():
        notes.append(
            f"signature {key} keeps Flex operators ({', '.join(names)}): it runs only where the "
            "Flex delegate is"
        )
    if chosen.state:
        notes.append(
            f"{GET} and {SET} hold {plural(len(chosen.state), 'variable')} ({options.state})"
        )
    elif {GET, SET} & {entry.key for entry in chosen.plan.entries}:
        notes.append(f"the model has its own {GET} or {SET}; none was added")
    for key, turns in lowered.unrolled.items():
        notes.append(
            f"{key}: {plural(len(turns), 'loop')} unrolled ({', '.join(map(str, turns))} turns)"
        )
    if lowered.resources.narrow:
        notes.append(
            f"{plural(len(lowered.resources.narrow), 'half-precision variable')} kept as float32"
        )
    return tuple(notes)
