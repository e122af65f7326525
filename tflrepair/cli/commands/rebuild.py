"""tflrepair rebuild"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflrepair.cli.again import paste_on_refusal
from tflrepair.cli.options import (
    BatchOption,
    KeepFlexOption,
    MapOption,
    NoFlexOption,
    RateOption,
    SetOption,
    StateOption,
    WeightsOption,
    no_flex_options,
    parse_sets,
    read_map,
)
from tflrepair.cli.output import emit, progress, style
from tflrepair.errors import UserError
from tflrepair.report.style import safe


def rebuild(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file")],
    emit_python: Annotated[
        str | None,
        typer.Option("--emit-python", metavar="OUT.py", help="the Python file to write"),
    ] = None,
    no_flex: NoFlexOption = False,
    batch: BatchOption = None,
    state: StateOption = None,
    keep_flex: KeepFlexOption = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="with --no-flex: the .tflite to write"),
    ] = None,
    weights: WeightsOption = None,
    map_file: MapOption = None,
    set_values: SetOption = None,
    learning_rate: RateOption = None,
    force: Annotated[bool, typer.Option("--force", help="replace files that exist")] = False,
) -> None:
    """Write MODEL anew: as a tf.Module in Python (--emit-python), or without Flex (--no-flex).

    The Python file, with its weights in an .npz beside it, runs by itself: `python OUT.py`
    converts it to OUT.tflite.
    """
    options = no_flex_options(no_flex, batch, state, keep_flex)
    mapping = read_map(map_file) if map_file else None
    sets = parse_sets(set_values or [])
    if emit_python is None and options is None:
        raise UserError("nothing to do", hint="give --emit-python OUT.py, or --no-flex -o OUT")
    if emit_python is not None and options is not None:
        raise UserError("--emit-python writes the operators that the model has, not --no-flex")
    if options is not None:
        from tflrepair.commands.fix.fix import fix
        from tflrepair.report import fix_text

        with paste_on_refusal(context), progress("rebuilding") as tell:
            result = fix(
                model,
                weights or (),
                out=output,
                mapping=mapping,
                sets=sets,
                learning_rate=learning_rate,
                no_flex=options,
                force=force,
                progress=tell,
            )
        emit(fix_text.render(result, style(), False))
        raise typer.Exit(1 if result.problems else 0)
    from tflrepair.commands.emit_python import emit_python as write_python

    if output is not None:
        raise UserError("-o belongs to --no-flex; --emit-python names its own file")
    with paste_on_refusal(context), progress("rebuilding"):
        npz = write_python(
            model,
            Path(str(emit_python)),
            weights or (),
            mapping=mapping,
            sets=sets,
            learning_rate=learning_rate,
            force=force,
        )
    name = safe(str(emit_python))
    emit(f"written: {name} and {safe(str(npz))}; `python {name}` converts it")
