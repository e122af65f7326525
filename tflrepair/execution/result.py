"""What verification found, as frozen objects that turn into JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tflrepair.findings import Finding, Location, Severity
from tflrepair.notebook import Presentable


class RunStatus(StrEnum):
    """The verdict on one run."""

    OK = "ok"
    PROBLEM = "problem"
    NOT_RUN = "not-run"


class Symptom(StrEnum):
    """What a run showed: the codes of its findings. All but ``NOTE`` are problems."""

    NOTE = "note"
    ERROR = "error"
    UNSET = "unset-variable"
    CRASH = "crash"
    TIMEOUT = "timeout"
    NOT_FINITE = "not-finite"
    NOT_REPEATABLE = "not-repeatable"
    DELEGATES_DIFFER = "delegates-differ"
    MODELS_DIFFER = "models-differ"
    NOT_EXPECTED = "not-expected"


class ComparedTo(StrEnum):
    """What an output was compared with: a second fresh interpreter, the run without the delegate,
    another model, or what was expected."""

    REPEAT = "repeat"
    NO_DELEGATE = "no-delegate"
    AGAINST = "against"
    EXPECT = "expect"


def shown(symptom: Symptom, inputs: str, message: str, signature: str) -> Finding:
    """A finding about a run of ``signature`` on ``inputs`` (``zeros``, ``random``, ``given``)."""
    severity = Severity.INFO if symptom == Symptom.NOTE else Severity.ERROR
    return Finding(symptom, severity, message, "", Location(signature=signature), inputs)


@dataclass(frozen=True)
class Comparison:
    """One output held against another. The numbers are as in ``Gap``."""

    to: ComparedTo
    inputs: str
    output: str
    within: bool
    max_abs: float | None
    max_rel: float | None


@dataclass(frozen=True)
class Run:
    """One signature in one runtime, with its default delegate or without.

    Attributes:
        signature: its key, or ``subgraph 0`` for a model without signatures.
        runtime: ``litert 2.3.0``; ``delegate``: ``default`` or ``none``.
        reason: why it was not run.
    """

    signature: str
    runtime: str
    delegate: str
    status: RunStatus
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, repr=False)
class VerifyReport(Presentable):
    """All runs of a model. ``against`` is the other model's path, ``python`` the other Python's."""

    model: str
    runs: tuple[Run, ...]
    rtol: float
    atol: float
    against: str | None = None
    python: str | None = None

    def headline(self) -> str:
        counts = ", ".join(
            f"{sum(run.status == status for run in self.runs)} {word}"
            for status, word in (
                (RunStatus.OK, "ok"),
                (RunStatus.PROBLEM, "with problems"),
                (RunStatus.NOT_RUN, "not run"),
            )
        )
        return f"{self.model}: {counts}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each run."""
        return [
            {
                "signature": run.signature,
                "runtime": run.runtime,
                "delegate": run.delegate,
                "status": str(run.status),
                "told": "; ".join(
                    [*filter(None, [run.reason]), *(f.message for f in run.findings)]
                ),
                "max_abs": max(
                    (c for c in (_number(c.max_abs) for c in run.comparisons) if c is not None),
                    default=None,
                ),
            }
            for run in self.runs
        ]

    @property
    def ok(self) -> bool:
        """At least one signature ran, and no run shows a problem."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0: ``ok``; 1: problems; 2: nothing could be run."""
        statuses = {run.status for run in self.runs}
        if RunStatus.PROBLEM in statuses:
            return 1
        return 0 if RunStatus.OK in statuses else 2

    def to_dict(self) -> dict[str, Any]:
        """As JSON objects. Numbers that JSON lacks (an infinite difference) are null."""
        return {
            "schema": "tflrepair/verify/1",
            "model": self.model,
            "against": self.against,
            "python": self.python,
            "tolerance": {"rtol": self.rtol, "atol": self.atol},
            "ok": self.ok,
            "runs": [_run(run) for run in self.runs],
        }


def _run(run: Run) -> dict[str, Any]:
    return {
        "signature": run.signature,
        "runtime": run.runtime,
        "delegate": run.delegate,
        "status": run.status,
        "reason": run.reason or None,
        "findings": [
            {"kind": row.code, "inputs": row.inputs, "message": row.message} for row in run.findings
        ],
        "comparisons": [
            {
                "to": row.to,
                "inputs": row.inputs,
                "output": row.output,
                "within": row.within,
                "max_abs": _number(row.max_abs),
                "max_rel": _number(row.max_rel),
            }
            for row in run.comparisons
        ],
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
