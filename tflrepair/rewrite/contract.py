"""What every rewrite of a model promises: the contract of a pass.

A pass looks at one file and plans another. It says what it requires, applies itself without
writing, and then holds what was written against what it promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from tflrepair.analysis.context import AnalysisContext
from tflrepair.progress import Progress


class NewFile(Protocol):
    """A file that is planned to the byte and not yet written. It is never in memory as a whole."""

    @property
    def size(self) -> int:
        """Bytes that ``write`` will write."""

    def write(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        """Write all of it, in pieces."""


@dataclass(frozen=True)
class Change:
    """What a pass does to a file: the new one, and what is new about it in words."""

    file: NewFile
    note: str = ""


class Pass(Protocol):
    """One rewrite."""

    @property
    def title(self) -> str:
        """What it does, for a progress bar."""

    def requires(self, before: AnalysisContext) -> None:
        """The precondition.

        Raises:
            UnsupportedError, RefusedError: it does not hold.
        """

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        """Plan the new file; None if there is nothing to change.

        Args:
            work: a folder for this pass alone; it goes when the new file is written.
        """

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        """The postcondition, on the written bytes.

        Raises:
            RefusedError: it does not hold.
        """


class Tidying:
    """A pass that clears up behind others: run only if one of them has changed the file."""
