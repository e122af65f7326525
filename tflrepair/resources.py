"""Names for what the flow analysis finds: resources, the operators that touch them, summaries."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Key:
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

    unset: dict[Key, Site]
    sets: frozenset[Key]
    outputs: tuple[Key | None, ...]


@dataclass
class Uses:
    """All operators that touch resources, by resource. ``values`` holds value tensors' indices."""

    created: dict[Key, list[Site]] = field(default_factory=dict)
    assigned: dict[Key, list[Site]] = field(default_factory=dict)
    read: dict[Key, list[Site]] = field(default_factory=dict)
    values: dict[Key, list[tuple[Site, int]]] = field(default_factory=dict)
    declared: dict[Key, tuple[str | None, tuple[int, ...] | None]] = field(default_factory=dict)
    calls_once: dict[int, list[tuple[Site, int]]] = field(default_factory=dict)
    unresolved: list[Site] = field(default_factory=list)
