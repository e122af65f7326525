"""The command line: parse, call the library, render. Nothing is decided here.

Exit codes: 0 fine, 1 problems found, 2 could not do it, 130, 143 and 129 for signals. With
``--format json`` standard output holds one JSON object, whatever happens.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated, Any

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
from tflrepair.cli.loudness import loud
from tflrepair.cli.mode import mode
from tflrepair.cli.output import fail, tell_error
from tflrepair.errors import (
    InterruptedByError,
    OutOfMemoryError,
    TflRepairError,
    TooDeepError,
    UserError,
)

# Wrong words on the command line: what typer raises, by the only name under which it shows it
_CallError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    name="tflrepair",
    help="Find out what is wrong inside a .tflite file, and repair it.",
    epilog="Exit codes: 0 fine, 1 problems found, 2 could not do it.",
    no_args_is_help=True,
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
    app.command()(loud(command))
_COMMANDS = (
    "scan", "show", "diff", "extract", "fix", "verify", "convert", "rebuild", "train", "explain",
    "demo", "add-state",
)  # fmt: skip
app.command("add-state")(loud(add_state.add_state))


def _version(wanted: bool) -> None:
    if wanted:
        from tflrepair import __version__

        typer.echo(f"tflrepair {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    gc.freeze()  # the modules loaded so far are not looked through any more
    gc.set_threshold(50_000)  # a model is many objects that all stay, and no circles
    gc.enable()


def main() -> None:
    """The console script. Every expected error becomes one line on stderr and exit code 2."""
    # TensorFlow and LiteRT write their logs past Python, between the lines of our report
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # nothing here multiplies matrices with numpy, whose threads for that cost more than its import
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    mode.read(sys.argv[1:], _COMMANDS)
    try:
        signals.catch()
        code = _run()
        signals.again()
    except signals.Stopped as stopped:
        code = fail(InterruptedByError(f"ended by {stopped}"), stopped.code)
    streams.leave(code)


def _run() -> int:
    """Parse and do; the exit code."""
    try:
        streams.check()
        code = app(standalone_mode=False)
        return _flushed(code if isinstance(code, int) else 0)
    except SystemExit as leaving:  # typer's exit 1 for a reader that has left
        return 2 if isinstance(leaving.__context__, OSError) else _flushed(int(leaving.code or 0))
    except _CallError as error:
        error.show()
        tell_error(UserError(error.format_message()))
        return int(error.exit_code)
    except TflRepairError as error:
        signals.again()
        return fail(error)
    except MemoryError:
        return fail(OutOfMemoryError("not enough memory"))
    except RecursionError:
        return fail(TooDeepError("the input is nested too deeply"))
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
