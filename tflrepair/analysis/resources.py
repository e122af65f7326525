"""Names for what the flow analysis finds: resources, the operators that touch them, summaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tflrepair.graph import options
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.subgraph import Operator


class ResourceId(NamedTuple):
    """Identity of a resource at run time.

    ``kind`` keeps apart what lives in different maps: ``builtin`` variables
    (tensorflow/lite/experimental/resource/resource_variable.h), ``flex`` variables (the
    TensorFlow resource manager of the Flex delegate), and ``table`` for hash tables.
    """

    kind: str
    container: str
    shared_name: str


def variable_id(operator: Operator) -> ResourceId:
    """The variable of a VAR_HANDLE."""
    return ResourceId("builtin", *options.var_handle(operator))


def table_id(operator: Operator) -> ResourceId:
    """The table of a HASHTABLE."""
    return ResourceId("table", "", str(options.table_id(operator)))


@dataclass(frozen=True)
class Summary:
    """What running a subgraph once does to resources, in execution order."""

    unset: dict[ResourceId, OperatorRef]
    sets: frozenset[ResourceId]
    outputs: tuple[ResourceId | None, ...]


@dataclass
class Uses:
    """All operators that touch resources, by resource. ``values`` holds value tensors' indices."""

    created: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    assigned: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    read: dict[ResourceId, list[OperatorRef]] = field(default_factory=dict)
    values: dict[ResourceId, list[tuple[OperatorRef, int]]] = field(default_factory=dict)
    declared: dict[ResourceId, tuple[str | None, tuple[int, ...] | None]] = field(
        default_factory=dict
    )
    calls_once: dict[int, list[tuple[OperatorRef, int]]] = field(default_factory=dict)
    unresolved: dict[OperatorRef, None] = field(default_factory=dict)
    _noted: dict[str, set[tuple[ResourceId, OperatorRef]]] = field(default_factory=dict)

    def note(self, what: str, key: ResourceId, site: OperatorRef, again: bool) -> bool:
        """Add a site to ``created``, ``assigned`` or ``read``. False if it is there already.

        ``again``: its subgraph has been walked before. Else only an operator that names one
        resource twice could be there, as the last row.
        """
        rows: list[OperatorRef] = getattr(self, what).setdefault(key, [])
        if rows and rows[-1] == site:
            return False
        if again and what not in self._noted:
            known = getattr(self, what).items()
            self._noted[what] = {(other, place) for other, places in known for place in places}
        noted = self._noted.get(what)
        if noted is not None:
            if (key, site) in noted:
                return False
            noted.add((key, site))
        rows.append(site)
        return True
