"""tflrepair train"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflrepair.cli.options import ForceOption, FormatOption
from tflrepair.cli.output import Format, emit, emit_results, progress, style
from tflrepair.errors import UserError


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file")],
    data: Annotated[
        str, typer.Option("--data", metavar="X.npz", help="input name -> examples, in rows")
    ],
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="number of steps")] = 100,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", help="examples for each step")
    ] = None,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="NAME", help="the signature that trains")
    ] = None,
    loss: Annotated[
        str | None, typer.Option("--loss", metavar="NAME", help="the output that is the loss")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="OUT", help="write the trained model"),
    ] = None,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="LOSS.png", help="draw the loss")
    ] = None,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Train MODEL under LiteRT: no TensorFlow, no Flex; exit code 1 if the loss does not fall."""
    from tflrepair.commands.train import train as train_model
    from tflrepair.files import check_free, check_no_input, write
    from tflrepair.report.runs import train_text

    if plot is not None:
        check_no_input(Path(plot), [model, data])
        if out is not None and Path(plot).absolute() == Path(out).absolute():
            raise UserError("the plot and the trained model are the same file", where=plot)
        check_free(Path(plot), force)
        train_text.check_picture()
    with progress("training") as tell:

        def told(step: int, value: float) -> None:
            if tell is not None:
                tell(f"loss {value:.4g}", step, steps)

        result = train_model(
            model,
            data,
            steps=steps,
            batch=batch,
            signature=signature,
            loss=loss,
            out=out,
            force=force,
            progress=told,
        )
    if plot is not None:
        write(Path(plot), train_text.picture(result), force)
    code = 0 if result.ok else 1
    if format is Format.json:
        emit_results(code, [train_text.item(result)])
    else:
        emit("\n".join(train_text.lines(result, style())))
    raise typer.Exit(code)
