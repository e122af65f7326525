"""Passes one after the other, each over the file that the one before has written."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import load
from tflrepair.progress import Progress
from tflrepair.rewrite.contract import Change, Pass


@dataclass(frozen=True)
class Rewritten:
    """What passes came to.

    Attributes:
        context: of the new file, at the path that was asked for; None if nothing changed.
        notes: what each pass that changed something says of it.
    """

    context: AnalysisContext | None
    notes: tuple[str, ...]


def run_passes(
    passes: Sequence[Pass], before: AnalysisContext, path: Path, progress: Progress
) -> Rewritten:
    """Run ``passes`` and leave the result at ``path``, or nothing if none changes anything.

    Raises:
        RefusedError, UnsupportedError: a pass cannot be run, or breaks its promise.
        OSError: a file cannot be written.
    """
    after: AnalysisContext | None = None
    notes = []
    for step in passes:
        now = after or before
        progress(step.title, 0, 0)
        step.requires(now)
        with tempfile.TemporaryDirectory(prefix="tflrepair-") as work:
            change = step.apply(now, Path(work))
            if change is None:
                continue
            after = _write(step, now, change, path, progress)
        notes += change.note.splitlines()
    return Rewritten(after, tuple(notes))


def _write(
    step: Pass, before: AnalysisContext, change: Change, path: Path, progress: Progress
) -> AnalysisContext:
    """The context of the new file, which takes the place of the one at ``path``."""
    newer = path.with_name(f"{path.name}.next")
    try:
        with newer.open("xb") as stream:
            change.file.write(stream, progress)
        progress("checking the result", 0, 0)
        after = AnalysisContext(load(newer))
        step.ensures(before, after)
        newer.replace(path)
    finally:
        newer.unlink(missing_ok=True)
    return after.renamed(str(path))
