"""The variables of a model as targets for matching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflrepair.analysis.checkpoints import named_tensors
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Analysis, Variable, analyse
from tflrepair.graph.model import Model
from tflrepair.weights.model_facts.dataflow import flow_of
from tflrepair.weights.model_facts.updates import update_ranks
from tflrepair.weights.types.weight import Target


def targets_of(
    model: Model, variables: Sequence[Variable], analysis: Analysis | None = None
) -> tuple[Target, ...]:
    """A target for each variable, with what the graph tells of their order and names.

    Args:
        analysis: of the whole model; made here if it is not given.

    Raises:
        BadFileError: the model is damaged.
    """
    whole = analysis or analyse(model)
    saved = _saved_as(model, whole)
    names = [(v.key.container, v.key.shared_name) for v in variables]
    flows = flow_of(model, names)
    updates = update_ranks(model, whole.variables)
    return tuple(
        Target(
            v.key.container,
            v.key.shared_name,
            v.dtype or "",
            v.shape,
            rank,
            upstream,
            tuple(_read_as(model, v)),
            tuple(saved.get(v.key, ())),
            updates.get(v.key),
        )
        for v, (rank, upstream) in zip(variables, flows, strict=True)
    )


def _saved_as(model: Model, analysis: Analysis) -> dict[ResourceId, list[str]]:
    """The names in the model's save operators that stand for one variable only."""
    owners: dict[str, set[ResourceId | None]] = {}
    for row in named_tensors(model, analysis):
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
            name = graph.tensor(tensor).name if tensor >= 0 else ""
            if name and name not in seen:
                seen.add(name)
                yield name
