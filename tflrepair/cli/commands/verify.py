"""tflrepair verify"""

from __future__ import annotations

from typing import Annotated

import typer

from tflrepair.cli.options import FormatOption, StrictOption
from tflrepair.cli.output import Format, emit, emit_results, progress, step


def verify(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file to run")],
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="OTHER", help="a model whose outputs must match"),
    ] = None,
    inputs: Annotated[
        str | None, typer.Option("--inputs", metavar="IN.npz", help="inputs: name -> array")
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="OUT.npz", help="outputs: name -> array")
    ] = None,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="NAME", help="run only this signature")
    ] = None,
    rtol: Annotated[float | None, typer.Option("--rtol", help="relative tolerance")] = None,
    atol: Annotated[float | None, typer.Option("--atol", help="absolute tolerance")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", metavar="NAME", help="litert, tf.lite, or tensorflow (rebuilt)"),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="PATH", help="use the runtimes of this other Python"),
    ] = None,
    strict: StrictOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Run MODEL in the runtimes that are installed and judge its answers."""
    from tflrepair.commands.verify import verify as verify_model
    from tflrepair.execution.compare import ATOL, RTOL
    from tflrepair.report.runs import verify_json, verify_text

    step(f"running {model}")
    with progress("running"):
        report = verify_model(
            model,
            against=against,
            inputs=inputs,
            expect=expect,
            signature=signature,
            rtol=RTOL if rtol is None else rtol,
            atol=ATOL if atol is None else atol,
            runtimes=runtime,
            python=python,
        )
    code = report.exit_code
    if strict and code == 0 and report.unchecked:
        code = 1
    if format is Format.json:
        emit_results(code, [verify_json.item(report)])
    else:
        emit("\n".join(verify_text.lines(report)))
    raise typer.Exit(code)
