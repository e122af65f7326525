"""Unique names in the save and restore operators of a file that a converter handed over."""

from __future__ import annotations

import io

from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import from_bytes
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan, checkpoint_renames


def unique_names(data: bytes) -> bytes:
    """``data`` with unique names in save and restore; the source brings its own back."""
    context = AnalysisContext(from_bytes(data))
    plan = GraftPlan((), (), (), checkpoint_renames(context))
    if not plan.changes:
        return data
    stream = io.BytesIO()
    graft(context.model, plan).write(stream)
    return stream.getvalue()
