"""A layer of the model and the layers of a file that it may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tflrepair.weights.matching.assign import Assignment
from tflrepair.weights.types.layers import FileLayer, TargetLayer


@dataclass
class Candidate:
    """A layer of the file that a layer of the model may be, and its arrays' possible roles."""

    layer: FileLayer
    readings: list[Assignment]


@dataclass
class Question:
    """A layer of the model, its candidates left, and the last evidence that took some away.

    ``fitting`` are all candidates by role and shape. ``conflict`` says why none may be taken.
    """

    target: TargetLayer
    candidates: list[Candidate]
    reason: str = "shape"
    conflict: str = ""
    fitting: tuple[Candidate, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.fitting = tuple(self.candidates)


def keep(question: Question, wanted: Iterable[Candidate], reason: str = "") -> bool:
    """Drop the candidates that are not wanted, unless that leaves none. True if some went."""
    left = list(wanted)
    if not left or len(left) == len(question.candidates):
        return False
    question.candidates = left
    question.reason = reason or question.reason
    return True
