"""tflrepair extract"""

from __future__ import annotations

from typing import Annotated

import typer

from tflrepair.cli.options import ForceOption, FormatOption
from tflrepair.cli.output import Format, emit, emit_results
from tflrepair.errors import UserError


def extract(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file")],
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="OUT", help=".npz, .safetensors, .h5, or .tflite"),
    ],
    constants: Annotated[
        bool, typer.Option("--constants", help="write constants, too, by tensor name")
    ] = False,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="NAME", help="write a part: this signature")
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--outputs",
            metavar="TENSOR",
            help="write a part: what this tensor needs; may be repeated",
        ),
    ] = None,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Take the weights of MODEL, or a part of it that runs alone, into a file."""
    from tflrepair.commands.extract import extract_part, extract_weights
    from tflrepair.report import extract_text

    if signature is not None or outputs:
        if constants:
            raise UserError("--constants writes weights; --signature and --outputs write a model")
        part = extract_part(model, out, signature=signature, outputs=outputs or (), force=force)
        if format is Format.json:
            emit_results(0, [extract_text.part_item(part)])
        else:
            emit("\n".join(extract_text.part_lines(part)))
        return
    if out.endswith(".tflite"):
        raise UserError(
            "it is not clear which part of the model is meant",
            hint="give --signature NAME or --outputs TENSOR",
        )
    weights = extract_weights(model, out, constants=constants, force=force)
    code = 0 if weights.complete else 1
    if format is Format.json:
        emit_results(code, [extract_text.weights_item(weights)])
    else:
        emit("\n".join(extract_text.weights_lines(weights)))
    raise typer.Exit(code)
