"""Where the command line writes: results to stdout, errors and progress to stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import IO, Any, TextIO

import typer

from tflrepair.errors import RefusedError, TflRepairError
from tflrepair.report.style import Style, harmless, safe


class Format(StrEnum):
    text = "text"
    json = "json"


def style() -> Style:
    """Colour only on a terminal that has not asked for none (no-color.org)."""
    import os

    return Style(sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def emit(text: str) -> None:
    """Write a report, in which nothing but our own colours may command the terminal."""
    typer.echo(harmless(text, style().colour))


def emit_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=2))


def report_error(error: TflRepairError) -> None:
    """What, where, and what to do; one line, but for a list of things to decide."""
    # a refusal lists what is to be decided; any other line end is that of a name
    lines = describe(error).split("\n")
    text = ("\n" if isinstance(error, RefusedError) else "\\n").join(map(safe, lines))
    with contextlib.suppress(OSError, ValueError):  # stderr is full or closed: nobody listens
        typer.echo("tflrepair: " + text, err=True)


def describe(error: TflRepairError) -> str:
    place = f"{safe(error.where)}: " if error.where else ""  # a name may have newlines
    return f"{place}{error.message}" + (f"; {error.hint}" if error.hint else "")


def error_dict(
    path: str, error: TflRepairError, faults: dict[str, Any] | None = None
) -> dict[str, Any]:
    """``tflrepair/error/1``: what stands in a list in the place of a model that cannot be read.

    ``faults`` are further fields, for a damaged file.
    """
    found = {
        "schema": "tflrepair/error/1",
        "path": path,
        "error": type(error).__name__,
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
    }
    return found if faults is None else {**found, **faults}


@contextmanager
def progress(label: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """A progress bar on stderr, if that is a terminal; a callable of (step, done, total).

    Meanwhile native code (TensorFlow, LiteRT, MLIR) logs into a file that goes with the block:
    it writes past Python, between the lines of our report, and what fails is raised anyway.
    """
    with _native_logs_aside() as stderr:
        if not stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=stderr), transient=True) as bar:
            task = bar.add_task(label, total=None)

            def advance(step: str, done: int, total: int) -> None:
                bar.update(
                    task, description=escape(safe(step)), completed=done, total=total or None
                )

            yield advance


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
