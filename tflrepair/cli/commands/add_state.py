"""tflrepair add-state"""

from __future__ import annotations

from typing import Annotated

import typer

from tflrepair.cli.options import ForceOption, FormatOption, StateOption
from tflrepair.cli.output import Format, emit, emit_results, progress


def add_state(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="OUT", help="the new file")],
    state: StateOption = None,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Add the signatures get_weights and set_weights to a copy of MODEL; needs no TensorFlow."""
    from tflrepair.commands.add_state import add_state as add
    from tflrepair.passes.add_state.plan import TRAINED
    from tflrepair.report.runs import state_text

    with progress("adding"):
        result = add(model, output, state=state or TRAINED, force=force)
    if format is Format.json:
        emit_results(0, [state_text.item(model, result)])
    else:
        emit("\n".join(state_text.lines(model, result)))
