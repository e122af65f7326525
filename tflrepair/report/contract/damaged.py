"""A damaged file as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflrepair.structure.salvage import Remains
from tflrepair.structure.verify import Verdict

if TYPE_CHECKING:
    from tflrepair.report.contract.parts import FaultItem, RemainsItem


def fault_items(verdict: Verdict) -> list[FaultItem]:
    """The faults as data."""
    return [
        {
            "code": fault.code,
            "byte": fault.location.offset,
            "path": fault.location.path,
            "message": fault.message,
        }
        for fault in verdict.faults
    ]


def remains_item(remains: Remains) -> RemainsItem:
    """What can still be read, as data."""
    return {
        "tables": {n: {"read": w, "listed": t} for n, w, t in remains.parts},
        "signatures": list(remains.signatures),
        "operators": dict(remains.operators),
        "constant_bytes": remains.constants,
        "lost_bytes": remains.lost,
    }
