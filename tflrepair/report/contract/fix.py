"""``tflrepair fix``, and ``tflrepair rebuild``."""

from __future__ import annotations

from typing import TypedDict

from tflrepair.report.contract.parts import FindingItem
from tflrepair.report.contract.verify import VerifyItem


class RenamedItem(TypedDict):
    """A save or restore operator with new tensor names."""

    subgraph: int
    operator: int
    names: list[str]


class ValueItem(TypedDict):
    """A variable and where its value comes from.

    ``source`` and ``path``: the file of weights and the array in it. ``fill``: the value of every
    element. ``assumption``: what the value rests on that no file says.
    """

    container: str
    shared_name: str
    origin: str
    source: str | None
    path: str | None
    fill: float | None
    reason: str
    confidence: str
    documented_in: str | None
    assumption: str | None


class ProblemItem(TypedDict):
    """What must be decided first. ``options`` decide it, with a value for example."""

    kind: str
    variables: list[str]
    message: str
    candidates: list[str]
    hint: str
    options: list[str]


class AssumptionItem(TypedDict):
    """What no file says, and the option to give if it is not so."""

    text: str
    option: str
    variables: list[str]


class UnusedItem(TypedDict):
    """An array of the weights that no variable takes."""

    source: str
    path: str


class FixItem(TypedDict):
    """A repair, or with ``--dry-run`` what it would be; ``out`` is null then.
    ``not_run``: why the new file was not run."""

    ok: bool
    model: str | None
    changes: bool
    out: str | None
    size: int | None
    notes: list[str]
    replaced: int
    calls_added: int
    renamed: list[RenamedItem]
    variables: list[ValueItem]
    problems: list[ProblemItem]
    sure: dict[str, int]
    accepted: dict[str, list[str]]
    unproven: list[str]
    assumptions: list[AssumptionItem]
    unused: list[UnusedItem]
    warnings: list[str]
    findings: list[FindingItem]
    run: VerifyItem | None
    not_run: str | None


class PythonItem(TypedDict):
    """A model written as Python: the file, and the .npz beside it that holds its weights."""

    ok: bool
    python: str
    weights: str
    unproven: list[str]
    accepted: dict[str, list[str]]
    assumptions: list[AssumptionItem]
