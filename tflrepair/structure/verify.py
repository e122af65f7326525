"""The whole file verified, before anything else reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tflrepair.errors import BadFileError, ErrorCode
from tflrepair.findings import Finding
from tflrepair.format.splice import LARGEST_FLATBUFFER
from tflrepair.structure.fault import ALIGNMENT, OFFSET, Faults, TooMuchError
from tflrepair.structure.rules.registry import CHECKING, OF_THE_ENCODING
from tflrepair.structure.subject import Subject
from tflrepair.structure.walk import Walk
from tflrepair.structure.words import Words
from tflrepair.wording import plural


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a file.

    Attributes:
        faults: the first thousand, in the order of their place in the file; each has an
            ``offset`` and, but for the file itself, a ``path``.
        count: how many there are.
        walk: the tables as far as they could be read.
        subject: what the rules have decoded of them; None if there is no first table.
    """

    faults: tuple[Finding, ...]
    count: int
    walk: Walk = field(repr=False)
    subject: Subject | None = field(default=None, repr=False)

    @property
    def sound(self) -> bool:
        return not self.count

    @property
    def readable(self) -> bool:
        """Whether all tables can be read, even if what they say contradicts itself."""
        return not any(fault.code in OF_THE_ENCODING for fault in self.faults)


def verify(data: memoryview) -> Verdict:
    """Read every table of a flatbuffer with the identifier TFL3 once, and collect what is wrong.

    The time is proportional to the number of tables. Weights are not read.
    """
    words, faults = Words(data), Faults()
    walk = Walk(words, faults)
    subject = None
    root = words["I"][0] if words.size >= 8 else 0
    if not 4 <= root <= words.size - 4:
        text = f"the first table would be at {walk.report.beyond(root)}"
        faults.add(OFFSET, lambda: (0, ""), text)
    elif root % 4:
        faults.add(ALIGNMENT, lambda: (0, ""), f"the first table is at byte {root}")
    else:
        try:
            walk.run(root)
            subject = Subject(walk)
            for rule in CHECKING:
                rule.check(subject)
        except TooMuchError:
            pass  # noted as a fault; the rules could not end either
    return Verdict(faults.listed(), faults.count, walk, subject)


class DamagedError(BadFileError):
    """The file is damaged. ``verdict`` has all its faults.

    Args:
        size: bytes of the file; runtimes do not look at all of a large one.
    """

    code = ErrorCode.DAMAGED_FILE

    def __init__(self, verdict: Verdict, path: str | None, size: int = 0) -> None:
        first, more = verdict.faults[0], verdict.count - 1
        also = f" (and {plural(more, 'more fault')})" if more else ""
        what = "model contradicts itself" if verdict.readable else "file is truncated or corrupt"
        place = first.location.path or "the file"
        hint = f"`tflrepair explain {first.code}` tells more"
        if size > LARGEST_FLATBUFFER:
            hint = (
                f"runtimes read the first {LARGEST_FLATBUFFER} bytes of a flatbuffer; this file "
                f"has {size}: convert the model with its weights outside the flatbuffer "
                "(Buffer.offset), or in parts"
            )
        super().__init__(
            f"the {what}: {first.code} {place} (byte {first.location.offset}): "
            f"{first.message}{also}",
            where=path,
            hint=hint,
        )
        self.verdict = verdict


def require_sound(data: memoryview, path: str | None = None) -> Subject:
    """Verify a file, and go on only if nothing is wrong with it: what it has decoded.

    Raises:
        DamagedError: with all faults; ``path`` is where it says the file is.
    """
    verdict = verify(data)
    if not verdict.sound or verdict.subject is None:
        raise DamagedError(verdict, path, len(data))
    return verdict.subject
