"""Passes one after the other, each over the file that the one before has written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.files import Output
from tflrepair.graph.model import load
from tflrepair.leftovers import workspace
from tflrepair.progress import Progress
from tflrepair.rewrite.contract import Change, Pass, Tidying
from tflrepair.rewrite.outside import OutsidePass
from tflrepair.rewrite.relocation import OutOfReachError


@dataclass(frozen=True)
class Rewritten:
    """What passes came to.

    Attributes:
        context: of the new file, which has no name of its own yet; None if nothing changed.
        notes: what each pass that changed something says of it.
    """

    context: AnalysisContext | None
    notes: tuple[str, ...]


def run_passes(
    passes: Sequence[Pass], before: AnalysisContext, output: Output, progress: Progress
) -> Rewritten:
    """Run ``passes`` and leave the result in ``output``, or nothing if none changes anything.

    Raises:
        RefusedError, UnsupportedError: a pass cannot be run, or breaks its promise.
        OSError: a file cannot be written.
    """
    after: AnalysisContext | None = None
    notes = []
    for step in passes:
        if after is None and isinstance(step, Tidying):
            continue
        now = after or before
        progress(step.title, 0, 0)
        step.requires(now)
        with workspace() as work:
            try:
                change = step.apply(now, work)
            except OutOfReachError:
                now, note = _given_room(now, work, output, progress)
                notes.append(note)
                change = step.apply(now, work)
            if change is None:
                continue
            after = _write(step, now, change, output, progress)
        notes += change.note.splitlines()
    return Rewritten(after, tuple(notes))


def _given_room(
    now: AnalysisContext, work: Path, output: Output, progress: Progress
) -> tuple[AnalysisContext, str]:
    """The same model with room for new tables, and what is said of it."""
    room = OutsidePass()
    room.requires(now)
    change = room.apply(now, work)
    return _write(room, now, change, output, progress), change.note


def _write(
    step: Pass, before: AnalysisContext, change: Change, output: Output, progress: Progress
) -> AnalysisContext:
    """The context of the new draft, which takes the place of the one before it."""
    with output.trial() as newer:
        change.file.write(newer.stream, progress)
        newer.stream.flush()
        progress("checking the result", 0, 0)
        after = AnalysisContext(load(newer.path))
        step.ensures(before, after)
        output.take(newer)
    return after
