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
    from tflrepair.report.diff import data, text

    with progress("comparing"):
        result = diff_models(a, b, run=run, signature=signature, inputs=inputs)
    code = 0 if result.same else 1
    if format is Format.json:
        emit_results(code, [data.item(result)])
    else:
        width = shutil.get_terminal_size().columns
        for line in text.lines(result, style(), width=width, everything=everything):
            emit(line)
    raise typer.Exit(code)
