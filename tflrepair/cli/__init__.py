"""The command line: parse, call the library, render. Nothing is decided here.

Exit codes: 0 fine, 1 problems found, 2 could not do it.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from tflrepair.cli import signals, streams
from tflrepair.cli.commands import (
    add_state,
    convert,
    demo,
    diff,
    explain,
    extract,
    fix,
    rebuild,
    scan,
    show,
    train,
    verify,
)
from tflrepair.cli.output import report_error
from tflrepair.errors import TflRepairError

app = typer.Typer(
    name="tflrepair",
    help="Find out what is wrong inside a .tflite file, and repair it.",
    epilog="Exit codes: 0 fine, 1 problems found, 2 could not do it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    scan.scan,
    show.show,
    diff.diff,
    extract.extract,
    fix.fix,
    verify.verify,
    convert.convert,
    rebuild.rebuild,
    train.train,
    explain.explain,
    demo.demo,
):
    app.command()(command)
app.command("add-state")(add_state.add_state)


def _version(wanted: bool) -> None:
    if wanted:
        from tflrepair import __version__

        typer.echo(f"tflrepair {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    gc.freeze()  # the modules loaded so far are not looked through any more
    gc.set_threshold(50_000)  # a model is many objects that all stay, and no circles
    gc.enable()


def main() -> None:
    """The console script. Every expected error becomes one line on stderr and exit code 2."""
    # TensorFlow and LiteRT write their logs past Python, between the lines of our report
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        signals.catch()
        code = _run()
        signals.again()
    except signals.Stopped as stopped:
        report_error(TflRepairError(f"ended by {stopped}"))
        code = stopped.code
    streams.leave(code)


def _run() -> int:
    """Parse and do; the exit code."""
    try:
        streams.check()
        app()
    except SystemExit as leaving:
        if isinstance(leaving.__context__, OSError):  # click's exit 1 for a reader that has left
            return 2
        return _flushed(leaving.code if isinstance(leaving.code, int) else 2)
    except TflRepairError as error:
        signals.again()
        report_error(error)
    except MemoryError:
        report_error(TflRepairError("not enough memory"))
    except RecursionError:
        report_error(TflRepairError("the input is nested too deeply"))
    except OSError as error:  # those of files are ours already; what is left are the streams
        streams.report_broken(error)
    return 2


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        streams.report_broken(error)
        return 2
    return code
