"""Where a run of a model can begin, and what it reads before it is set."""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.analysis.flow import Flow
from tflrepair.analysis.resources import ResourceId
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model


@dataclass(frozen=True)
class EntryPoint:
    """Where a run can begin: a subgraph and the signatures that lead to it.

    ``unset`` lists what it reads before it is set, in execution order, with the first operator
    that reads it. ``calls_once`` holds (operator, target subgraph) of its CALL_ONCEs.
    """

    signatures: tuple[str, ...]
    subgraph: int
    unset: tuple[tuple[ResourceId, OperatorRef], ...]
    sets: frozenset[ResourceId]
    calls_once: tuple[tuple[OperatorRef, int], ...]

    @property
    def label(self) -> str:
        return " / ".join(self.signatures) or f"subgraph {self.subgraph}"


def entry_points(model: Model, flow: Flow) -> tuple[EntryPoint, ...]:
    """Each signature's subgraph, and subgraph 0. Raises as ``Flow.summary``."""
    names: dict[int, list[str]] = {}
    for signature in model.signatures:
        names.setdefault(signature.subgraph, []).append(signature.key)
    if model.subgraphs:  # Interpreter::Invoke runs subgraph 0, signature or not
        names.setdefault(0, [])
    entries = []
    for subgraph, keys in names.items():
        summary = flow.summary(subgraph)
        flow.budget.spend(len(summary.unset) + len(summary.sets))
        entries.append(
            EntryPoint(
                signatures=tuple(keys),
                subgraph=subgraph,
                unset=tuple(summary.unset.items()),
                sets=summary.sets - summary.unset.keys(),
                calls_once=tuple(flow.uses.calls_once.get(subgraph, ())),
            )
        )
    return tuple(entries)
