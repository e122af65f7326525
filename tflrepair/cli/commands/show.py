"""tflrepair show"""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from tflrepair.cli.options import AllOption, FormatOption
from tflrepair.cli.output import Format, emit, emit_results, style


def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file")],
    subgraph: Annotated[int | None, typer.Option("--subgraph", help="only this subgraph")] = None,
    signature: Annotated[
        str | None,
        typer.Option("--signature", metavar="NAME", help="only the subgraph of this signature"),
    ] = None,
    op: Annotated[
        str | None, typer.Option("--op", metavar="KIND", help="operators of a kind, in detail")
    ] = None,
    tensor: Annotated[
        str | None,
        typer.Option("--tensor", metavar="NAME", help="a tensor or variable by name, or #INDEX"),
    ] = None,
    around: Annotated[
        int | None, typer.Option("--around", metavar="N", help="operator N and its neighbours")
    ] = None,
    values: Annotated[bool, typer.Option("--values", help="the values of --tensor")] = False,
    everything: AllOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Show what is in MODEL: signatures, operators, tensors, values, sizes, metadata."""
    from tflrepair.commands.show import show as show_model
    from tflrepair.report.show import data, text

    shown = show_model(
        model, subgraph=subgraph, signature=signature, op=op, tensor=tensor, around=around
    )
    if format is Format.json:
        emit_results(0, [data.item(shown, values=values)])
        return
    width = shutil.get_terminal_size().columns
    for line in text.lines(shown, style(), width=width, everything=everything, values=values):
        emit(line)
