"""The commands that have little to tell."""

from __future__ import annotations

from typing import TypedDict


class WrittenItem(TypedDict):
    """An array in the file; ``stored`` is its type there, ``dtype`` the one in the model."""

    name: str
    dtype: str
    stored: str
    shape: list[int]
    nbytes: int
    is_variable: bool


class LeftOutItem(TypedDict):
    """A variable or constant that is not in the file."""

    name: str
    reason: str
    is_variable: bool


class PartItem(TypedDict):
    """A part of a model. ``beside``: files with weights of it, which must lie beside it."""

    signature: str | None
    operators: int
    operators_of_whole: int
    subgraphs: list[int]
    inputs: list[str]
    outputs: list[str]
    beside: list[str]


class ExtractItem(TypedDict):
    """A file of weights, or with ``part`` a smaller model."""

    ok: bool
    path: str
    size: int
    written: list[WrittenItem]
    left_out: list[LeftOutItem]
    part: PartItem | None


class TrainItem(TypedDict):
    """A training run; null for a loss that is not finite. ``seconds`` of each step."""

    ok: bool
    model: str
    signature: str
    batch: int
    losses: list[float | None]
    seconds: list[float]
    out: str | None


class ConvertItem(TypedDict):
    """A new .tflite file, in which every variable has its value.

    ``notes``: what ``--no-flex`` changed, such as signatures that it dropped; else empty.
    """

    ok: bool
    source: str
    out: str
    size: int
    notes: list[str]


class StateItem(TypedDict):
    """``add-state``. ``out`` is null where the model has both signatures already.

    ``ran``: LiteRT handed the state from one interpreter to another; null without LiteRT.
    """

    ok: bool
    model: str
    out: str | None
    size: int | None
    variables: list[str]
    ran: bool | None


class ExplainItem(TypedDict):
    """What a code or an error text means. ``code`` and ``severity`` are null for an error text."""

    ok: bool
    code: str | None
    severity: str | None
    title: str
    text: str


class StepItem(TypedDict):
    """A step of the demo: the command, what it should end with, what it ended with, its output."""

    ok: bool
    title: str
    command: list[str]
    exit_code: int
    expected: int
    output: str
