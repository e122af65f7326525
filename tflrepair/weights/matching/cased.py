"""Names that differ by case only are two names, where both are there.

Elsewhere case does not count: keras.applications changed it between versions.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.weights.matching.question import Candidate, Question, keep


def by_case(questions: Sequence[Question]) -> None:
    """Where a layer's own name is in the file, leave out those that differ from it by case."""
    for question in questions:
        own = [c for c in question.candidates if not _otherwise(question, c)]
        keep(question, own, "name")


def _otherwise(question: Question, candidate: Candidate) -> bool:
    """Whether some name on the way to the candidate differs by case only from the model's."""
    levels = candidate.layer.levels
    return any(
        level.name != name and level.name.lower() == name.lower()
        for level, name in zip(reversed(levels), reversed(question.target.names), strict=False)
    )
