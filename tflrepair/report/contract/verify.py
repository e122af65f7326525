"""``tflrepair verify``, and what running the result of ``fix`` showed."""

from __future__ import annotations

from typing import TypedDict

from tflrepair.execution.result import ComparedTo, RunStatus, Symptom


class SymptomItem(TypedDict):
    """What a run showed."""

    kind: Symptom
    inputs: str
    message: str


class ComparisonItem(TypedDict):
    """An output held against another one; null for a difference that is no finite number."""

    to: ComparedTo
    inputs: str
    output: str
    within: bool
    max_abs: float | None
    max_rel: float | None


class RunItem(TypedDict):
    """One signature in one runtime, with its default delegate or without."""

    signature: str
    runtime: str
    delegate: str
    status: RunStatus
    reason: str | None
    findings: list[SymptomItem]
    comparisons: list[ComparisonItem]


class ToleranceItem(TypedDict):
    """|got - wanted| <= atol + rtol * |wanted|."""

    rtol: float
    atol: float


class UncheckedItem(TypedDict):
    """A signature that no runtime ran, why, and what to do to run it."""

    signature: str
    reason: str
    hint: str


class VerifyItem(TypedDict):
    """A model that was run. ``ok`` is about what is ``checked``; ``unchecked`` was not run."""

    ok: bool
    model: str
    against: str | None
    python: str | None
    tolerance: ToleranceItem
    checked: list[str]
    unchecked: list[UncheckedItem]
    runs: list[RunItem]
