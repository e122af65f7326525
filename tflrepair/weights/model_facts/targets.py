"""The variables of a model as targets for matching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Variable
from tflrepair.graph.model import Model
from tflrepair.weights.model_facts.called import called_names
from tflrepair.weights.model_facts.dataflow import flow_of
from tflrepair.weights.model_facts.layer_flow import layer_flow
from tflrepair.weights.model_facts.normalizing import normalizing
from tflrepair.weights.model_facts.selfupdate import self_updates
from tflrepair.weights.model_facts.updates import in_order, update_ranks
from tflrepair.weights.types.layers import target_layers
from tflrepair.weights.types.weight import Target


def targets_of(
    source: AnalysisContext | Model, variables: Sequence[Variable]
) -> tuple[Target, ...]:
    """A target for each variable, with what the graph tells of their order and names.

    Raises:
        BadFileError: the model is damaged.
    """
    context = context_of(source)
    model, whole = context.model, context.analysis
    saved = _saved_as(context)
    names = [(v.key.container, v.key.shared_name) for v in variables]
    flows = flow_of(model, names)
    flow = layer_flow(model)
    used = frozenset(name for op in flow.ops for name in op.variables) if flow else frozenset()
    hints = update_ranks(model, whole.variables, used)
    normal = normalizing(model)
    own = self_updates(model, whole, variables)
    called = called_names(v.key.shared_name for v in variables)
    targets = tuple(
        Target(
            v.key.container,
            v.key.shared_name,
            v.dtype or "",
            v.shape,
            rank,
            upstream,
            tuple(_read_as(model, v)),
            tuple(saved.get(v.key, ())),
            update_hint=hints.get(v.key),
            normalizes=v.key.shared_name in normal,
            flow=flow,
            called=called.get(v.name, ""),
            unset_in=v.unset_in,
            update=own[v.key].kind if v.key in own else "",
            follows=own[v.key].follows if v.key in own else "",
        )
        for v, (rank, upstream) in zip(variables, flows, strict=True)
    )
    places = (
        {role: t.update_hint for role, t in layer.targets if t.update_hint is not None}
        for layer in target_layers(targets)
    )
    if not in_order(places):
        return targets
    return tuple(replace(target, updated=target.update_hint) for target in targets)


def _saved_as(context: AnalysisContext) -> dict[ResourceId, list[str]]:
    """The names in the model's save operators that stand for one variable only."""
    owners: dict[str, set[ResourceId | None]] = {}
    for row in context.checkpoints:
        if row.saves:
            for name, key in row.pairs:
                owners.setdefault(name, set()).add(key)
    found: dict[ResourceId, list[str]] = {}
    for name, keys in owners.items():
        (key, *others) = keys
        if key is not None and not others:
            found.setdefault(key, []).append(name)
    return found


def _read_as(model: Model, variable: Variable) -> Iterator[str]:
    """Names of the tensors that the variable is read into, without repetition."""
    seen = set()
    for site in variable.read_by:
        graph = model.subgraph(site.subgraph)
        for tensor in graph.operators[site.operator].outputs:
            name = graph.tensor_name(tensor) if tensor >= 0 else ""
            if name and name not in seen:
                seen.add(name)
                yield name
