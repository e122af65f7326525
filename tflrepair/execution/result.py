"""What calls gave, and what verification found, as frozen objects; the latter turn into JSON."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.findings import Finding, Location, Severity
from tflrepair.notebook import Presentable

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OutcomeStatus(StrEnum):
    """How a call ended."""

    OK = "ok"
    ERROR = "error"  # the runtime refused; the text is its message
    CRASHED = "crashed"  # the process died or stood still; the text says how
    TIMEOUT = "timeout"  # it did not end within its time
    SKIPPED = "skipped"  # an earlier call of the task failed
    UNAVAILABLE = "unavailable"  # the runtime cannot be imported


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a call gave.

    Attributes:
        text: says what happened where it is not ``ok``.
        outputs: name -> array; strings as object arrays of bytes. Empty unless ``ok``.
        allocating: an error before anything was computed, from the sizes alone.
    """

    status: OutcomeStatus
    outputs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    text: str = ""
    allocating: bool = False


def read(place: Path) -> Outcome | None:
    """The outcome that the worker wrote; None if it did not come to that."""
    import numpy as np

    try:
        row = json.loads(place.with_name(place.name + ".json").read_text(encoding="utf-8"))
        if "error" in row:
            return Outcome(OutcomeStatus.ERROR, {}, row["error"], bool(row.get("allocating")))
        outputs: dict[str, NDArray[Any]] = {}
        with np.load(place.with_name(place.name + ".npz"), allow_pickle=False) as arrays:
            for number, output in enumerate(row["outputs"]):
                value = arrays[str(number)]
                if output["strings"]:
                    shape, lengths = arrays[f"{number}.shape"], arrays[f"{number}.lengths"]
                    value = _strings(value.tobytes(), lengths.tolist(), tuple(shape.tolist()))
                outputs[output["name"]] = value
        return Outcome(OutcomeStatus.OK, outputs)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _strings(data: bytes, lengths: list[int], shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    array = np.empty(len(lengths), dtype=object)
    start = 0
    for number, length in enumerate(lengths):
        array[number] = data[start : start + length]
        start += length
    return array.reshape(shape)


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
    """One output held against another. The numbers are as in ``Gap``.

    ``far`` is the distance of a quantized answer that is not within the tolerance of floats (see
    ``compare.distance``).
    """

    to: ComparedTo
    inputs: str
    output: str
    within: bool
    max_abs: float | None
    max_rel: float | None
    far: float | None = None


@dataclass(frozen=True)
class Run:
    """One signature in one runtime, with its default delegate or without.

    Attributes:
        signature: its key, or ``subgraph 0`` for a model without signatures.
        runtime: ``litert 2.3.0``; ``delegate``: ``default`` or ``none``.
        reason: why it was not run; ``hint`` what to do so that it can be.
    """

    signature: str
    runtime: str
    delegate: str
    status: RunStatus
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Unchecked:
    """A signature that nothing has run: why, and what to do so that it can be."""

    signature: str
    reason: str
    hint: str = ""


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
    def checked(self) -> tuple[str, ...]:
        """Signatures that at least one runtime ran."""
        ran = [run.signature for run in self.runs if run.status != RunStatus.NOT_RUN]
        return tuple(dict.fromkeys(ran))

    @property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """Signatures that no runtime ran. Nothing is known of their answers."""
        rows: dict[str, Unchecked] = {}
        for run in self.runs:
            if run.signature not in self.checked:
                rows.setdefault(run.signature, Unchecked(run.signature, run.reason, run.hint))
        return tuple(rows.values())

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


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
