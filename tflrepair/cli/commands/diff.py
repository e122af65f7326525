"""tflrepair diff"""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from tflrepair.cli.options import AllOption, FormatOption
from tflrepair.cli.output import Format, emit, emit_results, progress, style


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="a .tflite file")],
    b: Annotated[str, typer.Argument(metavar="B", help="another .tflite file")],
    run: Annotated[
        bool, typer.Option("--run", help="run both, and find the first operator at fault")
    ] = False,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="NAME", help="for --run: only this one")
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option("--inputs", metavar="IN.npz", help="for --run: inputs, name -> array"),
    ] = None,
    everything: AllOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Say how B differs from A; exit code 0 if no answer changes."""
    from tflrepair.commands.diff import diff as diff_models
    from tflrepair.errors import UnsupportedError
    from tflrepair.report.diff import data, text

    stopped = None  # what kept the models from running; the files are compared all the same
    with progress("comparing"):
        try:
            result = diff_models(a, b, run=run, signature=signature, inputs=inputs)
        except UnsupportedError as error:
            if not run or format is Format.json:
                raise
            stopped = error
            result = diff_models(a, b)
    code = 0 if result.same else 1
    if format is Format.json:
        emit_results(code, [data.item(result)])
    else:
        width = shutil.get_terminal_size().columns
        for line in text.lines(result, style(), width=width, everything=everything):
            emit(line)
    if stopped is not None:
        raise stopped
    raise typer.Exit(code)
