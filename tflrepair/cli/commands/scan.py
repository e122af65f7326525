"""tflrepair scan"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tflrepair.cli.options import ForceOption
from tflrepair.cli.output import emit, progress
from tflrepair.cli.scan_writers import WRITERS, FailOn, ScanFormat, fails
from tflrepair.errors import TflRepairError, UserError


def scan(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help=".tflite files, folders or archives, SavedModels"),
    ],
    salvage: Annotated[
        bool, typer.Option("--salvage", help="show what is readable of a damaged file")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODE", help="only checks whose code begins with CODE"),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="leave out these checks")
    ] = None,
    values: Annotated[
        bool, typer.Option("--values", help="read the weights, too: NaN, zeros, copies")
    ] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="exit with 1 for error, warning or info and worse")
    ] = FailOn.error,
    fix_hints: Annotated[
        bool, typer.Option("--fix-hints", help="say how each kind of finding is fixed")
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="what litert, tflm, gpu or nnapi lacks"),
    ] = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="OUT.html", help="write a page to look at, too")
    ] = None,
    model_explorer: Annotated[
        str | None,
        typer.Option("--model-explorer", metavar="OUT.json", help="write Model Explorer node data"),
    ] = None,
    force: ForceOption = False,
    format: Annotated[
        ScanFormat, typer.Option("--format", help="text, json, sarif, github or md")
    ] = ScanFormat.text,
) -> None:
    """Say what is in a model and what is wrong with it, without running it."""
    writer = WRITERS[format](fix_hints)
    exit_codes = []
    many = False
    last: Any = None
    for path, outcome, brief in _outcomes(models, select or (), ignore or (), values):
        many = many or brief
        if isinstance(outcome, TflRepairError):
            writer.failed(path, outcome, salvage)
            exit_codes.append(2)
            continue
        if not hasattr(outcome, "model"):
            writer.saved_model(outcome)
            exit_codes.append(int(fails(outcome.findings, fail_on)))
            continue
        targets = [_target(outcome.model, name) for name in target or ()]
        writer.model(outcome, brief, targets)
        lacking = any(not report.ok for report, _ in targets)
        exit_codes.append(int(lacking or fails(outcome.findings, fail_on)))
        last = outcome
    writer.finish(exit_codes, many)
    _write_files(last, len(exit_codes), html, model_explorer, force)
    raise typer.Exit(max(exit_codes, default=0))


def _outcomes(
    paths: Sequence[str], select: Sequence[str], ignore: Sequence[str], values: bool
) -> Iterator[tuple[str, Any, bool]]:
    """(path, ScanResult or error, whether it is one of many in a folder or archive)."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.commands.scan import scan_all
    from tflrepair.containers.find import is_container

    for path in paths:
        try:
            if Path(path, "saved_model.pb").is_file():
                from tflrepair.commands.scan_saved_model import scan_saved_model

                with progress("reading"):
                    saved_model = scan_saved_model(path)
                yield path, saved_model, False
            elif is_container(path):
                count = 0
                for name, outcome in scan_all(path, select=select, ignore=ignore, values=values):
                    count += 1
                    yield name, outcome, True
                if not count:
                    raise UserError("holds no .tflite models", where=path)
            else:
                yield path, scan_model(path, select=select, ignore=ignore, values=values), False
        except TflRepairError as error:
            yield path, error, False


def _target(model: Any, name: str) -> tuple[Any, Any]:
    """What a target lacks, and the arena that tflm needs where that can be measured."""
    from tflrepair.targets import arena
    from tflrepair.targets.judge import Target, judge

    report = judge(model, name)
    measured = report.target is Target.TFLM and report.ok and arena.installed()
    return report, arena.measure(model) if measured else None


def _write_files(
    scan: Any, count: int, html: str | None, model_explorer: str | None, force: bool
) -> None:
    if html is None and model_explorer is None:
        return
    from tflrepair.files import write
    from tflrepair.report.export import html as page
    from tflrepair.report.export import model_explorer as nodes

    if scan is None or count != 1:
        raise UserError(
            "--html and --model-explorer are about one model", hint="give one .tflite file"
        )
    if html is not None:
        write(Path(html), page.render(scan).encode("utf-8"), force)
        emit(f"written: {html}")
    if model_explorer is not None:
        import json

        text = json.dumps(nodes.to_dict(scan), indent=1)
        write(Path(model_explorer), text.encode("utf-8"), force)
        emit(f"written: {model_explorer}")
