"""What is known of each resource variable, and whether it has a value when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tflrepair.analysis.entry_points import EntryPoint, entry_points
from tflrepair.analysis.flow import Flow
from tflrepair.analysis.initializers import Initial, Initials
from tflrepair.analysis.resources import ResourceId, Uses
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.verdicts import Verdicts
from tflrepair.format.types import byte_size
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model


@dataclass(frozen=True)
class Variable:
    """A resource variable, or a hash table (``kind`` ``table``).

    Attributes:
        dtype, shape: of its value, from what is read and assigned; None where the file does not
            tell; -1 for an open dimension.
        conflicts: (dtype, shape) pairs at other places that do not fit ``dtype`` and ``shape``.
        unset_in: labels of the entries that read it before they have set it.
        set_by: labels of the entries that set it without reading it first.
    """

    key: ResourceId
    dtype: str | None
    shape: tuple[int, ...] | None
    conflicts: tuple[tuple[str, tuple[int, ...]], ...]
    status: VariableStatus
    created_by: tuple[OperatorRef, ...]
    assigned_by: tuple[OperatorRef, ...]
    read_by: tuple[OperatorRef, ...]
    unset_in: tuple[str, ...]
    set_by: tuple[str, ...]
    initial: Initial | None

    @property
    def name(self) -> str:
        return self.key.shared_name

    @property
    def nbytes(self) -> int | None:
        """Bytes of its value; None if the shape is open or the type has no fixed size."""
        return byte_size(self.dtype, self.shape) if self.dtype else None


@dataclass(frozen=True)
class Analysis:
    """All resources and entry points of a model, in order of first appearance.

    Attributes:
        initializers: subgraphs that some CALL_ONCE leads to.
        reads, assigns: (subgraph, tensor) that holds a variable's value, as it is read or before
            it is assigned -> the variable.
    """

    variables: tuple[Variable, ...]
    tables: tuple[Variable, ...]
    entries: tuple[EntryPoint, ...]
    unresolved: tuple[OperatorRef, ...]
    initializers: tuple[int, ...]
    reads: Mapping[tuple[int, int], ResourceId] = field(repr=False)
    assigns: Mapping[tuple[int, int], ResourceId] = field(repr=False)

    def find(self, key: ResourceId) -> Variable | None:
        return next((v for v in self.variables + self.tables if v.key == key), None)


def analyse(model: Model) -> Analysis:
    """Follow every resource through the model.

    Raises:
        BadFileError: a call leads nowhere or in a circle.
        UnsupportedError: calls nested too deeply to follow.
    """
    flow = Flow(model)
    entries = entry_points(model, flow)
    unresolved = tuple(flow.uses.unresolved)
    reachable_reads = {key for key, sites in flow.uses.read.items() if sites}
    for index in range(len(model.subgraphs)):  # an initializer that nobody calls, say
        if index not in flow.visited:
            flow.summary(index)
    uses = flow.uses
    once = sorted({target for rows in uses.calls_once.values() for _, target in rows})
    by_once = {target: flow.summary(target).sets for target in once}
    verdicts = Verdicts(entries, by_once, reachable_reads)
    initials = Initials(model, uses, once)
    found = tuple(_variable(model, uses, key, verdicts, initials) for key in _appearance(uses))
    return Analysis(
        variables=tuple(v for v in found if v.key.kind != "table"),
        tables=tuple(v for v in found if v.key.kind == "table"),
        entries=entries,
        unresolved=unresolved,
        initializers=tuple(once),
        reads=_value_tensors(uses, uses.read),
        assigns=_value_tensors(uses, uses.assigned),
    )


def _value_tensors(
    uses: Uses, sites: dict[ResourceId, list[OperatorRef]]
) -> dict[tuple[int, int], ResourceId]:
    found = {}
    for key, rows in uses.values.items():
        mine = set(sites.get(key, ()))
        found.update({(site.subgraph, t): key for site, t in rows if site in mine})
    return found


def _appearance(uses: Uses) -> list[ResourceId]:
    """Keys in a stable order: where they are first created."""
    return sorted(uses.created, key=lambda key: (min(uses.created[key]), key))


def _variable(
    model: Model, uses: Uses, key: ResourceId, verdicts: Verdicts, initials: Initials
) -> Variable:
    dtype, shape, conflicts = _facts(model, uses, key)
    return Variable(
        key=key,
        dtype=dtype,
        shape=shape,
        conflicts=conflicts,
        status=verdicts.status(key),
        created_by=tuple(uses.created.get(key, ())),
        assigned_by=tuple(uses.assigned.get(key, ())),
        read_by=tuple(uses.read.get(key, ())),
        unset_in=verdicts.unset_in(key),
        set_by=verdicts.set_by(key),
        initial=initials.find(key),
    )


def _facts(
    model: Model, uses: Uses, key: ResourceId
) -> tuple[str | None, tuple[int, ...] | None, tuple[tuple[str, tuple[int, ...]], ...]]:
    """dtype and shape as far as the values read and assigned tell, and what contradicts them."""
    dtype, shape = uses.declared.get(key, (None, None))
    conflicts: dict[tuple[str, tuple[int, ...]], None] = {}
    scalar = False
    for site, index in uses.values.get(key, ()):
        tensor = model.subgraph(site.subgraph).typed(index)
        dtype = dtype or tensor.dtype
        # Without has_rank an empty shape says "scalar" or "unknown": the weakest evidence.
        unranked = not tensor.shape and not tensor.has_rank
        merged = shape if unranked else _merge(shape, tensor.shape)
        if tensor.dtype != dtype or (merged is None and not unranked):
            conflicts[(tensor.dtype, tensor.shape)] = None
            continue
        shape = merged
        scalar = scalar or unranked
    return dtype, () if shape is None and scalar else shape, tuple(conflicts)


def _merge(known: tuple[int, ...] | None, more: tuple[int, ...]) -> tuple[int, ...] | None:
    """Both shapes in one, a fixed dimension before an open one; None if they contradict."""
    if known is None:
        return more
    fits = len(known) == len(more) and all(
        a == b or -1 in (a, b) for a, b in zip(known, more, strict=True)
    )
    return tuple(max(a, b) for a, b in zip(known, more, strict=True)) if fits else None
