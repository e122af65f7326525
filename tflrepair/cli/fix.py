"""tflrepair fix"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflrepair.cli.output import Format, emit, emit_json, progress, style
from tflrepair.errors import UserError

if TYPE_CHECKING:
    from tflrepair.repair.strategies import Origin


class Strategy(StrEnum):
    graft = "graft"
    optimize = "optimize"
    rebuild = "rebuild"


def fix(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file to repair")],
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", "-w", metavar="FILE", help="file of weights; may be repeated"),
    ] = None,
    map_file: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE", help="JSON: shared name -> path of a weight"),
    ] = None,
    map_out: Annotated[
        str | None,
        typer.Option("--map-out", metavar="FILE", help="write the match as such a map, to edit"),
    ] = None,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="give every element of a variable VALUE"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="give variables that have a value a new one, too")
    ] = False,
    check: Annotated[
        tuple[str, str] | None,
        typer.Option("--check", metavar="IN.npz OUT.npz", help="refuse unless it answers so"),
    ] = None,
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
        typer.Option("--module", metavar="FILE.py:CLASS", help="rebuild from it; runs that code"),
    ] = None,
    init_kwargs: Annotated[
        str | None,
        typer.Option("--init-kwargs", metavar="JSON", help="what CLASS takes to be built"),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="default: MODEL with .fixed.tflite"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would be done; write nothing")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="replace OUT if it exists")] = False,
    format: Annotated[Format, typer.Option("--format", help="text or json")] = Format.text,
) -> None:
    """Put the lost values back: write a copy of MODEL in which every variable has its value."""
    from tflrepair.fixing import fix as fix_model
    from tflrepair.report import fix_json, fix_text

    if dry_run and check:
        raise UserError("--check needs the result", hint="leave out --dry-run")
    with progress("fixing") as tell:
        result = fix_model(
            model,
            weights or ([saved_model] if saved_model else []),
            out=output,
            mapping=read_map(map_file) if map_file else None,
            map_out=map_out,
            sets=parse_sets(set_values or []),
            replace_values=replace,
            check=check,
            strategy=strategy.value,
            freeze=freeze,
            origin=_origin(saved_model, module, init_kwargs, bool(weights)),
            dry_run=dry_run,
            force=force,
            progress=tell,
        )
    if format is Format.json:
        emit_json(fix_json.to_dict(result))
    else:
        emit(fix_text.render(result, style(), dry_run))
    undecided = result.table is not None and bool(result.table.problems)
    raise typer.Exit(2 if undecided else 1 if result.problems else 0)


def _origin(
    saved_model: str | None, module: str | None, init_kwargs: str | None, given: bool
) -> Origin:
    from tflrepair.repair.strategies import Origin

    if init_kwargs is not None and module is None:
        raise UserError("--init-kwargs belongs to --module")
    kwargs = json_object(init_kwargs, "--init-kwargs") if init_kwargs else {}
    return Origin(saved_model, module, kwargs, given)


def json_object(text: str, name: str) -> dict[str, Any]:
    """``text`` as a JSON object; ``name`` is the option or file that it comes from."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{name} must be a JSON object")
    return data


def parse_sets(options: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` options as a dictionary. A name may itself contain ``=``: the last counts."""
    values: dict[str, str] = {}
    for option in options:
        name, equals, value = option.rpartition("=")
        if not equals or not name:
            raise UserError(f"--set {option!r} is not NAME=VALUE")
        if name in values and values[name] != value:
            raise UserError(f"--set gives {name!r} two values: {values[name]} and {value}")
        values[name] = value
    return values


def read_map(path: str) -> dict[str, str]:
    """The JSON object in ``path``: shared name -> path of a weight."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the map cannot be read: {error}", where=path) from None
    data = json_object(text, f"the map {path}")
    if not all(isinstance(value, str) for value in data.values()):
        raise UserError("the map must be a JSON object of names to names", where=path)
    return data
