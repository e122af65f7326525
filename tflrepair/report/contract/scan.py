"""``tflrepair scan``."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from tflrepair.report.contract.parts import FindingItem, PortItem, SiteItem


class ModelItem(TypedDict):
    """The file. Sizes are bytes."""

    path: str | None
    size: int
    version: int
    description: str
    buffers: int
    buffer_bytes: int
    metadata: list[str]


class ScanSubgraph(TypedDict):
    """``operators``: kind -> how many."""

    index: int
    name: str
    tensors: int
    operators: dict[str, int]


class ScanSignature(TypedDict):
    """A signature with its inputs and outputs."""

    key: str
    subgraph: int
    inputs: list[PortItem]
    outputs: list[PortItem]


class UnsetItem(TypedDict):
    """The first read of a variable that nothing has set."""

    shared_name: str
    subgraph: int
    operator: int


class EntryItem(TypedDict):
    """Where a run can begin: each signature's subgraph, and subgraph 0."""

    signatures: list[str]
    subgraph: int
    reads_unset: int
    first_unset: UnsetItem | None
    calls_once: list[int]


class InitialItem(TypedDict):
    """Where a variable's initial value is."""

    subgraph: int
    tensor: int
    buffer: int


class VariableItem(TypedDict):
    """A resource variable. ``unset_in``: signatures that read it before anything sets it."""

    kind: str
    container: str
    shared_name: str
    dtype: str | None
    shape: list[int] | None
    bytes: int | None
    status: str
    created_by: list[SiteItem]
    assigned_by: list[SiteItem]
    read_by: list[SiteItem]
    unset_in: list[str]
    set_by: list[str]
    initial_value: InitialItem | None


class TableItem(TypedDict):
    """A lookup table."""

    id: str
    status: str


class LackingItem(TypedDict):
    """An operator that a target lacks, and where it stands first."""

    kind: str
    count: int
    subgraph: int
    operator: int
    why: str


class TargetItem(TypedDict):
    """What a ``--target`` lacks. ``arena``: bytes, where they could be measured."""

    target: str
    source: str
    ok: bool
    lacking: list[LackingItem]
    resolver: list[str]
    notes: list[str]
    arena: int | None


class ScanItem(TypedDict):
    """A .tflite file and what is wrong with it. ``fix_hints``: code -> how such findings are fixed,
    with ``--fix-hints``."""

    kind: Literal["tflite"]
    ok: bool
    model: ModelItem
    subgraphs: list[ScanSubgraph]
    signatures: list[ScanSignature]
    entries: list[EntryItem]
    variables: list[VariableItem]
    tables: list[TableItem]
    findings: list[FindingItem]
    targets: list[TargetItem]
    fix_hints: NotRequired[dict[str, str]]


class SavedModelItem(TypedDict):
    """A SavedModel and what its conversion would lose."""

    kind: Literal["saved_model"]
    ok: bool
    path: str
    signatures: dict[str, list[str]]
    restored: list[str]
    findings: list[FindingItem]
