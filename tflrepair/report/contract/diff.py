"""``tflrepair diff``."""

from __future__ import annotations

from typing import TypedDict

from tflrepair.report.contract.parts import Real


class SideItem(TypedDict):
    """One of the two files."""

    path: str | None
    size: int


class ChangeItem(TypedDict):
    """What both have, but not alike; null: that side has none. Distances are in real numbers."""

    what: str
    name: str | None
    a: str | None
    b: str | None
    max_abs: Real
    mean_abs: Real
    scale: Real


class PlaceItem(TypedDict):
    """An operator of the subgraph."""

    index: int
    name: str


class OperatorChangeItem(TypedDict):
    """One operator in both, and what differs."""

    a: PlaceItem
    b: PlaceItem
    changes: list[ChangeItem]


class SubgraphDiffItem(TypedDict):
    """A pair of subgraphs. ``aligned``: pairs of operator indices, of A and of B."""

    a: int
    b: int
    label: str
    same: bool
    aligned: list[list[int]]
    removed: list[PlaceItem]
    inserted: list[PlaceItem]
    changed: list[OperatorChangeItem]
    ports: list[ChangeItem]
    renamed: int
    unpacking: list[int]


class MissingItem(TypedDict):
    """A tensor whose values could not be compared."""

    tensor: str
    why: str


class GapItem(TypedDict):
    """An output whose values differ; ``at_fault``: what it is computed from does not."""

    a: PlaceItem
    b: PlaceItem
    output: int
    tensor: str
    max_abs: Real
    mean_abs: Real
    scale: Real
    beyond: bool
    at_fault: bool
    text: str | None


class RunDiffItem(TypedDict):
    """Both run on one input (``--run``)."""

    label: str
    runtime: str
    inputs: str
    same: bool
    compared: int
    missing: list[MissingItem]
    fault: GapItem | None
    gaps: list[GapItem]


class DiffItem(TypedDict):
    """Two models; ``same``: they compute the same, as far as the files tell."""

    ok: bool
    same: bool
    a: SideItem
    b: SideItem
    signatures: list[ChangeItem]
    subgraphs: list[SubgraphDiffItem]
    only_a: list[int]
    only_b: list[int]
    variables: list[ChangeItem]
    remarks: list[ChangeItem]
    run: RunDiffItem | None
