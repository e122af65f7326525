"""tflrepair rebuild"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflrepair.cli.again import paste_on_refusal
from tflrepair.cli.groups import grouped
from tflrepair.cli.options import (
    ForceOption,
    FormatOption,
    StrictOption,
    Values,
    WithoutFlex,
)
from tflrepair.cli.output import Format, emit, emit_results, progress, style
from tflrepair.errors import UserError
from tflrepair.report.style import safe


@grouped
def rebuild(
    *,
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file")],
    emit_python: Annotated[
        str | None,
        typer.Option("--emit-python", metavar="OUT.py", help="the Python file to write"),
    ] = None,
    without_flex: WithoutFlex,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="with --no-flex: the .tflite to write"),
    ] = None,
    values: Values,
    strict: StrictOption = False,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Write MODEL again: as a tf.Module in Python (--emit-python), or without Flex (--no-flex).

    The Python file, with its weights in an .npz beside it, runs by itself: `python OUT.py`
    converts it to OUT.tflite.
    """
    options = without_flex.asked
    if emit_python is None and options is None:
        raise UserError("nothing to do", hint="give --emit-python OUT.py, or --no-flex -o OUT")
    if emit_python is not None and options is not None:
        raise UserError(
            "--emit-python writes the operators that the model has; --no-flex would replace some"
        )
    if options is not None:
        from tflrepair.commands.fix.fix import fix
        from tflrepair.report import fix_json, fix_text

        with paste_on_refusal(context), progress("rebuilding") as tell:
            result = fix(
                model,
                values.weights or (),
                out=output,
                mapping=values.mapping,
                sets=values.sets,
                learning_rate=values.learning_rate,
                no_flex=options,
                force=force,
                progress=tell,
            )
        code = 1 if result.problems or (strict and result.unchecked) else 0
        if format is Format.json:
            emit_results(code, [fix_json.item(result)])
        else:
            emit(fix_text.render(result, style(), False))
        raise typer.Exit(code)
    from tflrepair.commands.emit_python import emit_python as write_python

    if output is not None:
        raise UserError("-o belongs to --no-flex; --emit-python names its own file")
    with paste_on_refusal(context), progress("rebuilding"):
        npz = write_python(
            model,
            Path(str(emit_python)),
            values.weights or (),
            mapping=values.mapping,
            sets=values.sets,
            learning_rate=values.learning_rate,
            force=force,
        )
    if format is Format.json:
        emit_results(0, [{"ok": True, "python": str(emit_python), "weights": str(npz)}])
        return
    name = safe(str(emit_python))
    emit(f"written: {name} and {safe(str(npz))}; `python {name}` converts it")
