"""tflrepair fix"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tflrepair.cli.output import Format, emit, emit_json, progress, style
from tflrepair.errors import UserError


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
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="give every element of a variable VALUE"),
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

    with progress("fixing") as tell:
        result = fix_model(
            model,
            weights or (),
            out=output,
            mapping=read_map(map_file) if map_file else None,
            sets=parse_sets(set_values or []),
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
        data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the map cannot be read: {error}", where=path) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"the map is not JSON: {error}", where=path) from None
    if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
        raise UserError("the map must be a JSON object of names to names", where=path)
    return data
