"""The graft: an initializer subgraph in front of the old file, and CALL_ONCE at every entry.

Promises: every byte of the old file stays (file positions in an appended ZIP excepted), indices
of subgraphs, tensors and buffers keep their meaning, variables that have an initializer keep it.
Each variable gets exactly one initializer, shared by all entries and run before anything else:
a second one would reset trained values when another signature is first called.

Idempotent: a grafted model needs no value, so there is no plan that changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.format.splice import Head, Layout, layout
from tflrepair.graph.model import Model
from tflrepair.passes.graft.plan import (
    GraftPlan,
    NewValue,
    check_graftable,
    checkpoint_renames,
    missing_calls,
    needing_values,
)
from tflrepair.passes.graft.tables import Tables
from tflrepair.progress import Progress
from tflrepair.rewrite.contract import Change
from tflrepair.rewrite.relocation import Piece, check_reach, old_pieces, write_pieces
from tflrepair.wording import plural


@dataclass(frozen=True)
class Graft:
    """A finished graft, not yet written. Values are read one at a time while writing."""

    model: Model
    plan: GraftPlan
    head: bytes
    place: Layout

    @property
    def size(self) -> int:
        return len(self.head) + self.place.length

    def write(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        """Write the new file. Zeros are skipped: most file systems then store nothing for them.

        Raises:
            RefusedError: a value turns out to have another number of bytes than planned.
        """
        write_pieces(self._pieces(), self.size, stream, progress)

    def _pieces(self) -> Iterator[Piece]:
        yield self.head
        if self.place.inside:
            yield from self._values(0)
            yield from self._old()
        else:
            yield from self._old()
            yield from self._values(self.model.size)

    def _values(self, position: int) -> Iterator[Piece]:
        for start, value in zip(self.place.starts, self.plan.all_values, strict=True):
            prefix = value.nbytes.to_bytes(4, "little") if self.place.inside else b""
            yield bytes(start - len(prefix) - position) + prefix
            if value.zero:
                yield value.nbytes
            else:
                yield from _whole(value)
            position = start + value.nbytes
        if self.place.inside:
            yield bytes(self.place.old - position)

    def _old(self) -> Iterator[Piece]:
        return old_pieces(self.model, len(self.head) + self.place.old)


def _whole(value: NewValue) -> Iterator[Piece]:
    """The bytes of a value, and no other number of them than planned."""
    given = 0
    for piece in value.pieces():
        given += len(piece)
        if given > value.nbytes:
            break
        yield piece
    if given != value.nbytes:
        raise RefusedError(
            f"{value.origin} gave {plural(given, 'byte')} for {value.key.shared_name!r}, "
            f"which needs {value.nbytes}"
        )


@dataclass(frozen=True)
class GraftPass:
    """The graft of one plan as a pass; it changes nothing if the plan does not."""

    plan: GraftPlan
    title: str = "grafting"

    def requires(self, before: AnalysisContext) -> None:
        check_graftable(before.model, before.analysis)

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        return Change(graft(before.model, self.plan)) if self.plan.changes else None

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_grafted(after)


def check_grafted(after: AnalysisContext) -> None:
    """What must hold of a repaired file.

    Raises:
        RefusedError: something that was to be fixed is not.
    """
    unset = needing_values(after.analysis)
    if unset or checkpoint_renames(after) or missing_calls(after.analysis):
        name = unset[0].name if unset else "initializer calls or checkpoint names"
        raise RefusedError(f"the result failed its own check ({name}); nothing was written")


def graft(model: Model, plan: GraftPlan) -> Graft:
    """Build the new tables of ``plan``.

    Raises:
        UnsupportedError: a table that must be copied has a field newer than our schema, or the
            flatbuffer would become too large (see ``check_reach``).
    """
    # A head takes some 300 bytes for each new variable; the estimate only decides on which side
    # of the old bytes the values go.
    estimate = 4096 + 512 * len(plan.all_values)
    place = layout([value.nbytes for value in plan.all_values], model.size, estimate)
    head = Tables(model, plan, Head(place))
    data = head.build()
    if head.head.absolute:
        data = Tables(model, plan, Head(place, len(data))).build()
    check_reach(model, len(data) + place.old)
    return Graft(model, plan, data, place)
