"""Whether each variable has a value when it is read, judged over all entry points at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tflrepair.analysis.entry_points import EntryPoint
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus


class Verdicts:
    """What ``VariableStatus`` says of each resource.

    Entries are told apart by their place, not by their label, which a hostile file may repeat. The
    cost is that of what the entries read unset and set, added up.

    Args:
        by_once: what each initializer sets.
        read: resources that some entry reads.
    """

    def __init__(
        self,
        entries: Sequence[EntryPoint],
        by_once: Mapping[int, frozenset[ResourceId]],
        read: set[ResourceId],
    ) -> None:
        self._entries = entries
        self._read = read
        self._unset: dict[ResourceId, list[int]] = {}
        self._sets: dict[ResourceId, list[int]] = {}
        for place, entry in enumerate(entries):
            for key, _ in entry.unset:
                self._unset.setdefault(key, []).append(place)
            for key in entry.sets:
                self._sets.setdefault(key, []).append(place)
        called = {target for entry in entries for _, target in entry.calls_once}
        self._once = frozenset[ResourceId]().union(*(by_once[target] for target in called))
        self._right = self._healed()

    def _healed(self) -> set[int]:
        """Entries that answer right at once or after other right entries have run."""
        missing = [len(entry.unset) for entry in self._entries]
        right = [place for place, count in enumerate(missing) if not count]
        settable: set[ResourceId] = set()
        for place in right:  # grows while it is walked
            for key in self._entries[place].sets - settable:
                settable.add(key)
                for waiting in self._unset.get(key, ()):
                    missing[waiting] -= 1
                    if not missing[waiting]:
                        right.append(waiting)
        return set(right)

    def unset_in(self, key: ResourceId) -> tuple[str, ...]:
        """Labels of the entries that read it before they have set it."""
        return tuple(self._entries[place].label for place in self._unset.get(key, ()))

    def set_by(self, key: ResourceId) -> tuple[str, ...]:
        """Labels of the entries that set it without reading it first."""
        return tuple(self._entries[place].label for place in self._sets.get(key, ()))

    def status(self, key: ResourceId) -> VariableStatus:
        if key not in self._read:
            return VariableStatus.UNREAD
        unset = self._unset.get(key)
        if not unset:
            return VariableStatus.INITIALIZED
        if key in self._once:
            return VariableStatus.PARTIAL
        if self._right.issuperset(unset):
            return VariableStatus.ORDER_DEPENDENT
        return VariableStatus.UNINITIALIZED
