"""tflrepair scan"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tflrepair.cli.options import FormatOption
from tflrepair.cli.output import Format, emit, emit_json, error_dict, progress, report_error, style
from tflrepair.errors import TflRepairError


def scan(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help=".tflite files, folders or archives, SavedModels"),
    ],
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="CODE", help="only these checks (TFR001, or TFR1 for all)"
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="not these checks")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="what litert, tflm or gpu lacks of it"),
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Say what is in a model and what is wrong with it, without running it."""
    from tflrepair.report import saved_model_text, scan_json, scan_text, target_text

    exit_codes = []
    width = shutil.get_terminal_size().columns
    many = False
    dictionaries: list[dict[str, Any]] = []
    rows = _outcomes(models, select or (), ignore or ())
    for number, (path, outcome, brief) in enumerate(rows):
        many = many or brief
        if isinstance(outcome, TflRepairError):
            report_error(outcome)
            dictionaries.append(error_dict(path, outcome))
            exit_codes.append(2)
            continue
        if not hasattr(outcome, "model"):  # a SavedModel
            if format is Format.json:
                dictionaries.append(saved_model_text.to_dict(outcome))
            else:
                emit("\n".join(saved_model_text.lines(outcome, style(), width)))
            exit_codes.append(0 if outcome.ok else 1)
            continue
        targets = [_target(outcome.model, name) for name in target or ()]
        if format is Format.json:
            row = scan_json.to_dict(outcome)
            if targets:
                row["targets"] = [target_text.to_dict(*pair) for pair in targets]
            dictionaries.append(row)
        elif brief:
            emit("\n".join(scan_text.brief(outcome, style())))
        else:
            emit(("\n" if number else "") + scan_text.render(outcome, style()))
        if format is not Format.json:
            for report, arena in targets:
                emit("\n" + "\n".join(target_text.lines(report, arena, style(), width)))
        fine = outcome.ok and all(report.ok for report, _ in targets)
        exit_codes.append(0 if fine else 1)
    if format is Format.json:
        emit_json(dictionaries if len(dictionaries) != 1 else dictionaries[0])
    elif many and len(exit_codes) > 1:
        emit(
            f"\n{len(exit_codes)} models: {exit_codes.count(0)} with nothing wrong, "
            f"{exit_codes.count(1)} with errors, {exit_codes.count(2)} unreadable"
        )
    raise typer.Exit(max(exit_codes, default=0))


def _target(model: Any, name: str) -> Any:
    """What a target lacks, and the arena that tflm needs where that can be measured."""
    from tflrepair.targets import arena
    from tflrepair.targets.judge import Target, judge

    report = judge(model, name)
    measured = report.target is Target.TFLM and report.ok and arena.installed()
    return report, arena.measure(model) if measured else None


def _outcomes(
    paths: list[str], select: list[str] | tuple[()], ignore: list[str] | tuple[()]
) -> Iterator[tuple[str, Any, bool]]:
    """(path, ScanResult or error, whether it is one of many in a folder or archive)."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.commands.scan import scan_all
    from tflrepair.commands.scan_saved_model import scan_saved_model
    from tflrepair.containers.find import is_container

    for path in paths:
        try:
            if Path(path, "saved_model.pb").is_file():
                with progress("reading"):
                    saved_model = scan_saved_model(path)
                yield path, saved_model, False
            elif is_container(path):
                count = 0
                for name, outcome in scan_all(path, select=select, ignore=ignore):
                    count += 1
                    yield name, outcome, True
                if not count:
                    emit(f"{path}: holds no .tflite models")
            else:
                yield path, scan_model(path, select=select, ignore=ignore), False
        except TflRepairError as error:
            yield path, error, False
