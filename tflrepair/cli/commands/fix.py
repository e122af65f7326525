"""tflrepair fix"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tflrepair.cli.again import again, paste_on_refusal
from tflrepair.cli.groups import grouped
from tflrepair.cli.options import (
    AllOption,
    ForceOption,
    FormatOption,
    InitKwargsOption,
    StrictOption,
    Values,
    WithoutFlex,
    json_object,
)
from tflrepair.cli.output import Format, emit, emit_results, progress, style
from tflrepair.errors import UserError

if TYPE_CHECKING:
    from tflrepair.rebuild.requests import Origin


class Strategy(StrEnum):
    graft = "graft"
    optimize = "optimize"
    rebuild = "rebuild"


@grouped
def fix(
    *,
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file to repair")],
    values: Values,
    map_out: Annotated[
        str | None,
        typer.Option("--map-out", metavar="FILE", help="write the match as a map to edit"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="also replace values that exist")
    ] = False,
    check: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--check", metavar="IN.npz OUT.npz", help="refuse unless the outputs match OUT.npz"
        ),
    ] = None,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="do not run the result; the report says so")
    ] = False,
    strategy: Annotated[
        Strategy, typer.Option("--strategy", help="what to do after the graft")
    ] = Strategy.graft,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="make constants of variables that nothing assigns")
    ] = False,
    saved_model: Annotated[
        str | None,
        typer.Option("--saved-model", metavar="DIR", help="rebuild from this SavedModel"),
    ] = None,
    module: Annotated[
        str | None,
        typer.Option(
            "--module", metavar="FILE.py:CLASS", help="rebuild from this class; runs its code"
        ),
    ] = None,
    init_kwargs: InitKwargsOption = None,
    without_flex: WithoutFlex,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="default: MODEL with .fixed.tflite"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would be done; write nothing")
    ] = False,
    everything: AllOption = False,
    strict: StrictOption = False,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Put the lost values back: write a copy of MODEL in which every variable has its value."""
    import shlex
    from pathlib import Path

    from tflrepair.commands.fix.fix import fix as fix_model
    from tflrepair.commands.fix.outputs import default_output, name_of
    from tflrepair.files import check_no_input
    from tflrepair.report import fix_json, fix_text
    from tflrepair.sources.opened import is_address

    if is_address(model) and output is None and not dry_run:
        raise UserError(
            "the model is on a server, and the result is written here",
            where=model,
            hint=f"type: {again(context, ['-o', shlex.quote(name_of(model))])}",
        )
    if values.map_file:
        check_no_input(Path(output or default_output(Path(model))), [values.map_file])
    with paste_on_refusal(context), progress("fixing") as tell:
        result = fix_model(
            model,
            values.weights or (),
            out=output,
            mapping=values.mapping,
            map_out=map_out,
            sets=values.sets,
            by_name=values.by_name,
            allow_rounding=values.allow_rounding,
            learning_rate=values.learning_rate,
            accept=values.accept or (),
            replace_values=replace,
            check=check,
            run=not no_run,
            strategy=strategy.value,
            freeze=freeze,
            origin=_origin(saved_model, module, init_kwargs),
            no_flex=without_flex.asked,
            dry_run=dry_run,
            force=force,
            progress=tell,
        )
    undecided = result.table is not None and bool(result.table.problems)
    code = 2 if undecided else 1 if result.problems or (strict and result.unchecked) else 0
    if format is Format.json:
        emit_results(code, [fix_json.item(result)])
    else:
        options = result.table.options if result.table is not None else ()
        paste = again(context, options) if options else ""
        emit(fix_text.render(result, style(), dry_run, paste, everything=everything))
    raise typer.Exit(code)


def _origin(saved_model: str | None, module: str | None, init_kwargs: str | None) -> Origin:
    from tflrepair.rebuild.requests import Origin

    if init_kwargs is not None and module is None:
        raise UserError("--init-kwargs belongs to --module")
    kwargs = json_object(init_kwargs, "--init-kwargs") if init_kwargs else {}
    return Origin(saved_model, module, kwargs)
