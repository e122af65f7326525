"""Names for what the flow analysis finds: resources, the operators that touch them, summaries."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """Identity of a resource at run time.

    ``kind`` keeps apart what lives in different maps: ``builtin`` variables
    (tensorflow/lite/experimental/resource/resource_variable.h), ``flex`` variables (the
    TensorFlow resource manager of the Flex delegate), and ``table`` for hash tables.
    """

    kind: str
    container: str
    shared_name: str


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """An operator: the subgraph's index and the operator's index in it (the runtime's node)."""

    subgraph: int
    operator: int


@dataclass(frozen=True)
class Summary:
    """What running a subgraph once does to resources, in execution order."""

    unset: dict[ResourceId, Site]
    sets: frozenset[ResourceId]
    outputs: tuple[ResourceId | None, ...]


@dataclass
class Uses:
    """All operators that touch resources, by resource. ``values`` holds value tensors' indices."""

    created: dict[ResourceId, list[Site]] = field(default_factory=dict)
    assigned: dict[ResourceId, list[Site]] = field(default_factory=dict)
    read: dict[ResourceId, list[Site]] = field(default_factory=dict)
    values: dict[ResourceId, list[tuple[Site, int]]] = field(default_factory=dict)
    declared: dict[ResourceId, tuple[str | None, tuple[int, ...] | None]] = field(
        default_factory=dict
    )
    calls_once: dict[int, list[tuple[Site, int]]] = field(default_factory=dict)
    unresolved: list[Site] = field(default_factory=list)
