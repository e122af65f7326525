"""What can still be read of a damaged file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tflrepair.structure.fault import TooMuchError
from tflrepair.structure.rows import Rows
from tflrepair.structure.subject import UNKNOWN, Subject, operator_name
from tflrepair.structure.verify import Verdict

_PARTS = (
    ("subgraphs", "SubGraph"),
    ("tensors", "Tensor"),
    ("operators", "Operator"),
    ("operator codes", "OperatorCode"),
    ("buffers", "Buffer"),
    ("signatures", "SignatureDef"),
    ("metadata", "Metadata"),
)


@dataclass(frozen=True)
class Remains:
    """What was left.

    Attributes:
        parts: (noun, how many can be read, how many the file says there are). What an unreadable
            list would have led to is not counted.
        signatures: keys of the signatures that can be read.
        operators: how many of each kind can be read.
        constants: bytes of the buffers that lie within the file.
        lost: bytes that the other buffers say they have.
    """

    parts: tuple[tuple[str, int, int], ...]
    signatures: tuple[str, ...]
    operators: dict[str, int]
    constants: int
    lost: int


def remains(verdict: Verdict) -> Remains:
    """What the walk of a damaged file could read."""
    walk = verdict.walk
    subject = Subject(walk)
    parts = [(noun, *_counted(walk.of(table))) for noun, table in _PARTS]
    keys = [subject.text(pos) for pos in walk.of("SignatureDef").ref("signature_key") if pos > 0]
    try:
        kinds = Counter(operator_name(code) for code in subject.code_of if code != UNKNOWN)
    except TooMuchError:
        kinds = Counter()
    buffers = walk.of("Buffer")
    whole = sum(walk.words.count(pos) for pos in buffers.ref("data"))
    return Remains(tuple(parts), tuple(keys), dict(kinds.most_common()), whole, _lost(buffers))


def _counted(rows: Rows) -> tuple[int, int]:
    return len(rows) - len(rows.broken), len(rows)


def _lost(buffers: Rows) -> int:
    """Bytes that buffers claim whose data runs past the end of the file."""
    words, lost = buffers.words, 0
    for plan, _, places in buffers.groups:
        for field in plan.fields:
            if field.name == "data":
                for pos in places:
                    place = pos + field.offset
                    target = place + words["I"][place >> 2]
                    if target % 4 == 0 and target + 4 <= words.size:
                        count = words["I"][target >> 2]
                        lost += count if target + 4 + count > words.size else 0
    return lost
