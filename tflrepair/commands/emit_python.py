"""Write a model as Python: a tf.Module that computes what the file computes, with its weights."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.commands.fix.advice import advice
from tflrepair.commands.fix.options import MatchOptions, Weights
from tflrepair.commands.fix.planning import check_options, match_fix, open_all, plan_fix
from tflrepair.commands.scan import scan
from tflrepair.graph.model import Source, from_bytes
from tflrepair.passes.graft.graft import graft

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable


@dataclass(frozen=True)
class PythonFile:
    """What ``emit_python`` wrote.

    Attributes:
        python, weights: paths of the Python file and of the .npz beside it.
        table: where the values come from; None if the model had all of them.
    """

    python: str
    weights: str
    table: MatchTable | None = None

    @property
    def problems(self) -> bool:
        """Whether values rest on what nobody has proven."""
        return self.table is not None and bool(self.table.unproven)


def emit_python(
    model: Source,
    out: Path,
    weights: Weights = (),
    *,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    by_name: bool = False,
    allow_rounding: bool = False,
    learning_rate: float | str | None = None,
    accept: Sequence[str] = (),
    force: bool = False,
) -> PythonFile:
    """Write the model as a Python file that builds and converts it; see ``fix`` for the weights.

    Raises:
        As ``fix``; UnsupportedError for operators that cannot be rebuilt.
    """
    from tflrepair.rebuild.emit.python_file import emit_python as emit
    from tflrepair.rebuild.rebuild_pass import require_tensorflow

    require_tensorflow()
    before = scan(model).context
    options = MatchOptions(
        mapping or {},
        sets or {},
        by_name=by_name,
        rounds=allow_rounding,
        rate=learning_rate,
        accept=tuple(accept),
    )
    check_options(before, options)
    table = match_fix(before, open_all(weights), options)
    if table is not None:
        table.require(advice(before, table))
    whole = before.model
    plan = plan_fix(before, table)
    if plan.changes:
        stream = io.BytesIO()
        graft(whole, plan).write(stream)
        whole = from_bytes(stream.getvalue())
    emit(whole, {}, out, force)
    return PythonFile(str(out), str(out.with_suffix(".npz")), table)
