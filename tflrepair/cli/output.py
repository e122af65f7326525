"""Where the command line writes: results to stdout, errors and progress to stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any, TextIO

import typer

from tflrepair.cli.mode import is_terminal, mode
from tflrepair.cli.temporary import temporary_files_aside
from tflrepair.errors import RefusedError, TflRepairError
from tflrepair.report.style import Style, harmless, safe

if TYPE_CHECKING:
    from tflrepair.report.contract.parts import ErrorItem


class Format(StrEnum):
    text = "text"
    json = "json"


def style() -> Style:
    """Colour and folded lines on a terminal; no colour where none is wanted (no-color.org)."""
    import os
    import shutil

    if not is_terminal():
        return Style()
    return Style("NO_COLOR" not in os.environ, shutil.get_terminal_size().columns)


def emit(text: str) -> None:
    """Write a report, in which nothing but our own colours may command the terminal."""
    if not mode.quiet:
        form = style()
        text = harmless(text, form.colour)
        if form.width is not None:
            from tflrepair.report.layout import fit

            text = fit(text, form.width, tear=True)
        typer.echo(text)


def note(text: str) -> None:
    """What is no part of the report; beside JSON, or where nothing is to be said, to stderr."""
    if mode.json:
        typer.echo(safe(text), err=True)
    else:
        emit(text)


def emit_json(value: Any) -> None:
    import json

    from tflrepair.report.contract.envelope import well_formed

    text = json.dumps(well_formed(value), indent=2, allow_nan=False)
    mode.told = True  # last: a signal while the text is made is still answered by an object
    typer.echo(text)


def emit_results(
    exit_code: int, results: Sequence[Mapping[str, Any]], errors: Sequence[ErrorItem] = ()
) -> None:
    """The one JSON object of the running command."""
    from tflrepair.report.contract.envelope import envelope

    emit_json(envelope(mode.command, exit_code, results, errors))


def fail(error: TflRepairError, exit_code: int = 2) -> int:
    """Report an error that ends the command; the exit code. Its hint names the real file."""
    from tflrepair.report.hints import pasteable

    if error.hint:
        error.hint = pasteable(error.hint, mode.model)
    report_error(error)
    tell_error(error, exit_code)
    return exit_code


def tell_error(error: TflRepairError, exit_code: int = 2) -> None:
    """An error that ends the command, as JSON where that was asked for."""
    from tflrepair.report.contract.envelope import error_item

    if mode.json and not mode.told:
        with contextlib.suppress(OSError, ValueError):  # closed or full: stderr has said it
            emit_results(exit_code, [], [error_item(error)])


def report_error(error: TflRepairError) -> None:
    """What, where, and what to do; one line, but for a list of things to decide."""
    # these list what is to be decided, or cannot be; any other line end is that of a name
    lines = describe(error).split("\n")
    text = ("\n" if error.listing else "\\n").join(map(safe, lines))
    text = "tflrepair: " + text
    if is_terminal(sys.stderr):
        import shutil

        from tflrepair.report.layout import fit

        text = fit(text, shutil.get_terminal_size().columns, tear=True)
    with contextlib.suppress(OSError, ValueError):  # stderr is full or closed: nobody listens
        typer.echo(text, err=True)
        if mode.verbose and (detail := _detail(error)):
            typer.echo("\n".join(map(safe, detail.rstrip().split("\n"))), err=True)


def _detail(error: BaseException) -> str:
    """All that another program said, which the error, or what it comes from, gives in short."""
    found: str | None = getattr(error, "detail", None)
    return found or (_detail(error.__cause__) if error.__cause__ else "")


def describe(error: TflRepairError) -> str:
    place = f"{safe(error.where)}: " if error.where else ""  # a name may have newlines
    # a hint is no part of the last line of a list
    apart = "\n" if error.listing and not isinstance(error, RefusedError) else "; "
    return f"{place}{error.message}" + (f"{apart}{error.hint}" if error.hint else "")


def step(text: str) -> None:
    """A line on stderr, with ``--verbose``: for steps that are too short for a bar."""
    if mode.verbose:
        with contextlib.suppress(OSError, ValueError):
            typer.echo(f"tflrepair: {safe(text)}", err=True)


Advance = Callable[[str, int, int], None]


@contextmanager
def progress(label: str) -> Iterator[Advance | None]:
    """A progress bar on stderr, if that is a terminal; a callable of (step, done, total).

    Meanwhile native code (TensorFlow, LiteRT, MLIR) logs into a file that goes with the block:
    it writes past Python, between the lines of our report, and what fails is raised anyway.
    With ``--verbose`` it logs to stderr, and each step is a line there.
    """
    if mode.verbose:
        with temporary_files_aside():
            yield _Lines().advance
        return
    with temporary_files_aside(), _native_logs_aside() as stderr:
        if mode.quiet or not is_terminal(stderr):
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=stderr), transient=True) as bar:
            yield _Bar(bar, label).advance


class _Bar:
    """One task for each step: each has a clock of its own, which runs from when it begins."""

    def __init__(self, bar: Any, label: str) -> None:
        self.bar = bar
        self.step = label
        self.task = bar.add_task(label, total=None)

    def advance(self, step: str, done: int, total: int) -> None:
        from rich.markup import escape

        if step != self.step:
            self.bar.remove_task(self.task)
            self.step = step
            self.task = self.bar.add_task(escape(safe(step)), total=total or None)
        self.bar.update(self.task, completed=done, total=total or None)


class _Lines:
    """A line on stderr for each step."""

    last = ""

    def advance(self, name: str, done: int, total: int) -> None:
        if name != self.last:
            self.last = name
            step(name)


@contextmanager
def _native_logs_aside() -> Iterator[TextIO]:
    """Point file descriptor 2 elsewhere; gives a stream to where it pointed before."""
    import os

    _flush_stderr()
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as real, _log_file() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield real
        finally:
            _flush_stderr()
            os.dup2(real.fileno(), 2)


def _log_file() -> IO[bytes]:
    """A file that goes when it is closed; the null device where none can be made."""
    import os
    import tempfile

    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "r+b")  # noqa: PTH123


def _flush_stderr() -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
