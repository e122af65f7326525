"""Write a model as Python: a tf.Module that computes what the file computes, with its weights."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from tflrepair.commands.fix.options import MatchOptions, Weights
from tflrepair.commands.fix.planning import check_options, match_fix, open_all, plan_fix
from tflrepair.commands.scan import scan
from tflrepair.graph.model import Source, from_bytes
from tflrepair.passes.graft.graft import graft
from tflrepair.rebuild.rebuild_pass import require_tensorflow


def emit_python(
    model: Source,
    out: Path,
    weights: Weights = (),
    *,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    learning_rate: float | None = None,
    force: bool = False,
) -> str:
    """Write the model as a Python file that builds and converts it; see ``fix`` for the weights.

    Returns:
        The path of the .npz beside ``out`` that holds the weights.

    Raises:
        As ``fix``; UnsupportedError for operators that cannot be rebuilt.
    """
    from tflrepair.rebuild.emit.python_file import emit_python as emit

    require_tensorflow()
    before = scan(model).context
    options = MatchOptions(mapping or {}, sets or {}, rate=learning_rate)
    check_options(before, options)
    table = match_fix(before, open_all(weights), options)
    if table is not None:
        table.require()
    whole = before.model
    plan = plan_fix(before, table)
    if plan.changes:
        stream = io.BytesIO()
        graft(whole, plan).write(stream)
        whole = from_bytes(stream.getvalue())
    emit(whole, {}, out, force)
    return str(out.with_suffix(".npz"))
