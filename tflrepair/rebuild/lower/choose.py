"""Which signatures stay, what is dropped, and which variables get_weights and set_weights hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import RefusedError, UserError
from tflrepair.passes.add_state.plan import GET, SET, TRAINED
from tflrepair.rebuild.ir.steps import (
    Assign,
    CallStep,
    Function,
    Handle,
    If,
    Plan,
    Raw,
    SignatureFunction,
    Step,
    While,
)
from tflrepair.rebuild.lower.registry import words
from tflrepair.rebuild.requests import NoFlex

# They read and write files inside the graph, for which no builtin exists.
CHECKPOINTS = frozenset(
    words("""
    Save SaveV2 SaveSlices Restore RestoreV2 RestoreSlice MergeV2Checkpoints ShardedFilename
    ShardedFilespec ReadFile WriteFile MatchingFiles
""")
)
_READERS = frozenset({"ResourceGather", "ResourceGatherNd", "VariableShape", "VarIsInitializedOp"})


@dataclass(frozen=True)
class Chosen:
    """``plan`` with the entries that stay; ``dropped``: key -> the operators that it is for.

    Attributes:
        flex: keys of entries that have raw operators.
        training: keys of entries that have raw operators or assign variables, and keep none.
    """

    plan: Plan
    dropped: Mapping[str, tuple[str, ...]]
    flex: frozenset[str]
    training: frozenset[str]
    state: Mapping[str, ResourceId]  # name -> variable, for get_weights and set_weights
    changing: frozenset[ResourceId]  # variables that some signature assigns
    kept: Mapping[str, tuple[str, ...]]  # key -> the TensorFlow operators that it keeps


def choose(plan: Plan, options: NoFlex, names: Sequence[tuple[str, ResourceId]]) -> Chosen:
    """Drop what writes checkpoints, unless it is kept. ``names``: every variable of the model.

    Raises:
        UserError: a signature to be kept does not exist.
        RefusedError: nothing would be left.
    """
    keys = [entry.key for entry in plan.entries]
    unknown = [key for key in options.keep if key not in keys]
    if unknown:
        raise UserError(
            f"the model has no signature {unknown[0]!r}", hint=f"it has {', '.join(keys)}"
        )
    kept: list[SignatureFunction] = []
    dropped: dict[str, tuple[str, ...]] = {}
    stay: dict[str, tuple[str, ...]] = {}
    flex = set()
    for entry in sorted(plan.entries, key=lambda entry: entry.function.subgraph):
        raws = {step.name for step in steps_of(plan, entry) if isinstance(step, Raw)}
        files = tuple(sorted(raws & CHECKPOINTS))
        if files and entry.key not in options.keep:
            dropped[entry.key] = files
            continue
        if raws and entry.key in options.keep:
            stay[entry.key] = tuple(sorted(raws))
        if raws:
            flex.add(entry.key)
        kept.append(entry)
    if not kept:
        raise RefusedError(
            "every signature reads or writes checkpoint files, which needs Flex",
            hint="keep one with --keep-flex NAME",
        )
    changed = _assigned(plan, kept)
    assigned = changed if options.state == TRAINED else {key for _, key in names}
    state = {} if {GET, SET} & set(keys) else _named(names, assigned)
    training = {e.key for e in kept if e.key in flex or _assigned(plan, [e])} - {*options.keep}
    here = replace(plan, entries=tuple(kept))
    changing = frozenset(changed | set(state.values()))
    return Chosen(here, dropped, frozenset(flex), frozenset(training), state, changing, stay)


def steps_of(plan: Plan, entry: SignatureFunction) -> Iterator[Step]:
    """All steps that ``entry`` may run, initializers left out."""
    seen = set()
    waiting: list[Function] = [entry.function]
    while waiting:
        function = waiting.pop()
        for step in function.steps:
            yield step
            for identity in _called(step):
                if identity not in seen:
                    seen.add(identity)
                    waiting.append(plan.functions[identity])


def _called(step: Step) -> tuple[tuple[int, tuple[ResourceId | None, ...]], ...]:
    if isinstance(step, CallStep):
        return (step.function,)
    if isinstance(step, If):
        return (step.then, step.otherwise)
    return (step.condition, step.body) if isinstance(step, While) else ()


def _assigned(plan: Plan, entries: Iterable[SignatureFunction]) -> set[ResourceId]:
    found = set()
    for entry in entries:
        for step in steps_of(plan, entry):
            if isinstance(step, Assign):
                found.add(step.key)
            elif isinstance(step, Raw) and step.name not in _READERS:
                found |= {a.key for a in step.arguments.values() if isinstance(a, Handle)}
    return found


def _named(
    names: Sequence[tuple[str, ResourceId]], wanted: set[ResourceId]
) -> dict[str, ResourceId]:
    rows = [(name, key) for name, key in names if key in wanted]
    count: dict[str, int] = {}
    for name, _ in rows:
        count[name] = count.get(name, 0) + 1
    return {name if count[name] == 1 else f"{key.container}/{name}": key for name, key in rows}
