"""tflrepair scan"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from tflrepair.cli.options import FormatOption
from tflrepair.cli.output import Format, emit, emit_json, error_dict, report_error, style
from tflrepair.errors import TflRepairError


def scan(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help=".tflite files, or folders and archives of them"),
    ],
    format: FormatOption = Format.text,
) -> None:
    """Say what is in a model and what is wrong with it, without running it."""
    from tflrepair.report import scan_json, scan_text

    exit_codes = []
    dictionaries: list[dict[str, Any]] = []
    for number, (path, outcome, brief) in enumerate(_outcomes(models)):
        if isinstance(outcome, TflRepairError):
            report_error(outcome)
            dictionaries.append(error_dict(path, outcome))
            exit_codes.append(2)
            continue
        if format is Format.json:
            dictionaries.append(scan_json.to_dict(outcome))
        elif brief:
            emit("\n".join(scan_text.brief(outcome, style())))
        else:
            emit(("\n" if number else "") + scan_text.render(outcome, style()))
        exit_codes.append(0 if outcome.ok else 1)
    if format is Format.json:
        emit_json(dictionaries if len(dictionaries) != 1 else dictionaries[0])
    elif len(exit_codes) > 1:
        emit(f"\n{len(exit_codes)} models: {exit_codes.count(0)} with nothing wrong, "
             f"{exit_codes.count(1)} with errors, {exit_codes.count(2)} unreadable")  # fmt: skip
    raise typer.Exit(max(exit_codes, default=0))


def _outcomes(paths: list[str]) -> Iterator[tuple[str, Any, bool]]:
    """(path, ScanResult or error, whether it is one of many in a folder or archive)."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.commands.scan import scan_all
    from tflrepair.containers.find import is_container

    for path in paths:
        try:
            if is_container(path):
                count = 0
                for name, outcome in scan_all(path):
                    count += 1
                    yield name, outcome, True
                if not count:
                    emit(f"{path}: holds no .tflite models")
            else:
                yield path, scan_model(path), False
        except TflRepairError as error:
            yield path, error, False
