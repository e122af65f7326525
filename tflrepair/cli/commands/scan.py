"""tflrepair scan"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tflrepair.cli.options import AllOption, ForceOption
from tflrepair.cli.output import note, progress, step
from tflrepair.cli.scan_jobs import check_jobs, scan_folder
from tflrepair.cli.scan_writers import WRITERS, FailOn, ScanFormat, Writer, fails
from tflrepair.errors import TflRepairError, UserError
from tflrepair.opening import is_folder


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
        FailOn, typer.Option("--fail-on", help="exit with 1 for findings this severe or worse")
    ] = FailOn.error,
    fix_hints: Annotated[
        bool, typer.Option("--fix-hints", help="say how each kind of finding is fixed")
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="list what litert, tflm, gpu or nnapi lacks"),
    ] = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="OUT.html", help="write a page to look at, too")
    ] = None,
    model_explorer: Annotated[
        str | None,
        typer.Option("--model-explorer", metavar="OUT.json", help="write Model Explorer node data"),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="read N files of a folder at once")
    ] = 1,
    everything: AllOption = False,
    force: ForceOption = False,
    format: Annotated[
        ScanFormat, typer.Option("--format", help="text, json, sarif, github or md")
    ] = ScanFormat.text,
) -> None:
    """Say what is in a model and what is wrong with it, without running it."""
    check_jobs(jobs, [is_folder(path) for path in models])
    new_writer = partial(WRITERS[format], fix_hints, everything)
    writer = new_writer()
    asked = _Asked(
        tuple(select or ()), tuple(ignore or ()), values, tuple(target or ()), fail_on, salvage
    )
    exit_codes: list[int] = []
    last: Any = None
    for path in models:
        step(f"scanning {path}")
        try:
            if jobs > 1 and is_folder(path) and not _is_saved_model(path):
                of_file = partial(_scan_file, asked)
                exit_codes += scan_folder(path, jobs, writer, new_writer, of_file)
                continue
            for name, outcome, one_of_many in _outcomes(path, asked):
                brief = one_of_many or len(models) > 1
                exit_codes.append(_tell(writer, name, outcome, brief, asked))
                last = outcome if hasattr(outcome, "model") else last
        except TflRepairError as error:
            exit_codes.append(_tell(writer, path, error, False, asked))
    _write_files(last, len(exit_codes), html, model_explorer, force)
    writer.finish(exit_codes)
    raise typer.Exit(max(exit_codes, default=0))


@dataclass(frozen=True)
class _Asked:
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    values: bool
    targets: tuple[str, ...]
    fail_on: FailOn
    salvage: bool

    @property
    def checks(self) -> dict[str, Any]:
        return {"select": self.select, "ignore": self.ignore, "values": self.values}


def _tell(writer: Writer, path: str, outcome: Any, brief: bool, asked: _Asked) -> int:
    """Write one outcome; its exit code."""
    if isinstance(outcome, TflRepairError):
        writer.failed(path, outcome, asked.salvage)
        return 2
    if not hasattr(outcome, "model"):
        writer.saved_model(outcome)
        return int(fails(outcome.findings, asked.fail_on))
    targets = [_target(outcome.model, name) for name in asked.targets]
    writer.model(outcome, brief, targets)
    lacking = any(not report.ok or (arena and arena.refused) for report, arena in targets)
    return int(lacking or fails(outcome.findings, asked.fail_on))


def _is_saved_model(path: str) -> bool:
    """Whether it is meant as one; what stands there instead of a file is told when it is read."""
    place = Path(path, "saved_model.pb")
    return os.path.lexists(place) and not is_folder(place)


def _scan_file(asked: _Asked, writer: Writer, path: str) -> list[int]:
    """Write the models in a file of a folder; their exit codes. Run in processes of their own."""
    from tflrepair.commands.scan import scan_file

    return [
        _tell(writer, name, outcome, True, asked)
        for name, outcome in scan_file(Path(path), **asked.checks)
    ]


def _outcomes(path: str, asked: _Asked) -> Iterator[tuple[str, Any, bool]]:
    """(path, ScanResult or error, whether it is one of many in a folder or archive)."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.commands.scan import scan_all
    from tflrepair.containers.find import is_container
    from tflrepair.errors import masked
    from tflrepair.sources.opened import is_address

    if _is_saved_model(path):
        from tflrepair.commands.scan_saved_model import scan_saved_model

        with progress("reading"):
            saved_model = scan_saved_model(path)
        yield path, saved_model, False
    elif is_address(path) or is_container(path):
        empty = True
        for name, outcome in scan_all(path, **asked.checks):
            empty = False
            yield name, outcome, name != masked(path)
        if empty:
            raise UserError("holds no .tflite models", where=path)
    else:
        yield path, scan_model(path, **asked.checks), False


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
        raise UserError("--html and --model-explorer take one model", hint="give one .tflite file")
    if html is not None:
        write(Path(html), page.render(scan).encode("utf-8"), force)
        note(f"written: {html}")
    if model_explorer is not None:
        import json

        from tflrepair.report.contract.envelope import well_formed

        text = json.dumps(well_formed(nodes.to_dict(scan)), indent=1)
        write(Path(model_explorer), text.encode("utf-8"), force)
        note(f"written: {model_explorer}")
