"""tflrepair scan"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tflrepair.cli.options import FormatOption
from tflrepair.cli.output import Format, emit, emit_json, error_dict, report_error, style
from tflrepair.errors import TflRepairError


def scan(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help=".tflite files")],
    salvage: Annotated[
        bool, typer.Option("--salvage", help="of a damaged file show what can still be read")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="CODE", help="only these checks (TFR001, or TFR1 for all)"
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="not these checks")
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Say what is in a model and what is wrong with it, without running it."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.report import scan_json, scan_text

    worst = 0
    dictionaries: list[dict[str, Any]] = []
    for number, path in enumerate(models):
        before = "\n" if number else ""
        try:
            result = scan_model(path, select=select or (), ignore=ignore or ())
            if format is Format.json:
                dictionaries.append(scan_json.to_dict(result))
            else:
                emit(before + scan_text.render(result, style()))
        except TflRepairError as error:
            report_error(error)
            dictionaries.append(
                error_dict(path, error, _damage(path, error, salvage, format, before))
            )
            worst = 2
            continue
        worst = max(worst, 0 if result.ok else 1)
    if format is Format.json:
        emit_json(dictionaries if len(models) > 1 else dictionaries[0])
    raise typer.Exit(worst)


def _damage(
    path: str, error: TflRepairError, salvage: bool, format: Format, before: str
) -> dict[str, Any] | None:
    """Show the faults of a damaged file, or give them for JSON."""
    from tflrepair.commands.scan import scan_what_is_left
    from tflrepair.report import damage, scan_text
    from tflrepair.structure.salvage import remains
    from tflrepair.structure.verify import DamagedError

    if not isinstance(error, DamagedError):
        return None
    left = remains(error.verdict) if salvage else None
    if format is Format.json:
        return damage.to_dict(error.verdict, left)
    lines = [*damage.remains_text(path, left, style()), ""] if left else []
    emit(before + "\n".join([*lines, *damage.faults_text(error.verdict, style())]))
    result = scan_what_is_left(path, error.verdict) if salvage else None
    if result is not None:
        emit("\n" + scan_text.render(result, style()))
    return None
