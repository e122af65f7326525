"""A layer of the model and the layers of a file that it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tflrepair.weights.matching.assign import Assignment
from tflrepair.weights.types.layers import FileLayer, TargetLayer
from tflrepair.weights.types.match_table import ACCEPTED, ORDER


@dataclass
class Candidate:
    """A layer of the file that a layer of the model may be, and its arrays' possible roles."""

    layer: FileLayer
    readings: list[Assignment]


@dataclass(frozen=True)
class User:
    """What the user has to say.

    Attributes:
        accepted: names of doubts that the user accepts (see ``types/acceptable.py``).
        running: whether running will decide what only the order in the file tells apart.
    """

    accepted: frozenset[str] = frozenset()
    running: bool = False


NOBODY = User()


@dataclass
class Question:
    """A layer of the model, its candidates left, and the last evidence that took some away.

    ``fitting`` are all candidates by role and shape. ``conflict`` says why none may be taken.
    ``unit`` are the ``id``s of the layers of the file that its architecture leaves, where they are
    one unit (see ``topology``); ``beside`` those of the unused units next to that one. ``sure`` is
    how sure the match is. ``doubts`` are what speaks against the match but can be accepted: name
    (see ``types/acceptable.py``) -> text. Once ``examine`` is through, ``refused`` names those that
    the conflict consists of, ``accepted`` those that the user accepted. ``exchanged`` are the
    candidates that it is in a program which leaves the same file (see ``exchange``).
    """

    target: TargetLayer
    candidates: list[Candidate]
    reason: str = "shape"
    conflict: str = ""
    unit: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()
    sure: str = ""
    doubts: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    exchanged: list[Candidate] = field(default_factory=list)
    fitting: tuple[Candidate, ...] = field(init=False)

    def is_proved(self, other: FileLayer) -> bool:
        """Whether the file's architecture rules out that it is ``other``."""
        return bool(self.unit) and id(other) not in self.unit

    def weigh(self, accepted: Collection[str]) -> None:
        """Turn the doubts into a conflict, but for those that the user accepted."""
        open_ = tuple(name for name in self.doubts if name not in accepted)
        if self.conflict or not self.doubts:
            return
        if open_:
            self.conflict = self.doubts[open_[0]]
            self.refused = open_ if len(self.candidates) == 1 else ()
        else:
            self.sure, self.accepted = ACCEPTED, tuple(self.doubts)

    def reopen(self) -> None:
        """Have running decide between the match and what it may have been exchanged with."""
        if self.sure == ORDER and not self.conflict:
            self.candidates = [*self.candidates, *self.exchanged]

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
