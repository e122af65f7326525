"""The command line: parse, call the library, render. Nothing is decided here.

Exit codes: 0 fine, 1 problems found, 2 could not do it, 130, 143 and 129 for signals. With
``--format json`` standard output holds one JSON object, whatever happens.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable
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

# by name: what it calls, and its line in the list of commands, which 80 columns must hold
_COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "scan": (scan.scan, "Say what is in a model and what is wrong with it."),
    "show": (show.show, "Show signatures, operators, tensors, values, sizes."),
    "diff": (diff.diff, "Say how one model differs from another."),
    "extract": (extract.extract, "Take out the weights, or a part that runs alone."),
    "fix": (fix.fix, "Put lost values back, in a copy of the model."),
    "verify": (verify.verify, "Run a model and judge its answers."),
    "convert": (convert.convert, "Convert to a .tflite that keeps its weights."),
    "rebuild": (rebuild.rebuild, "Write a model again: as Python, or without Flex."),
    "train": (train.train, "Train a model under LiteRT."),
    "explain": (explain.explain, "Say what a finding or a runtime's error means."),
    "demo": (demo.demo, "Scan, fix and verify a broken sample."),
    "add-state": (add_state.add_state, "Add the signatures get_weights and set_weights."),
}


def _version(wanted: bool) -> None:
    if wanted:
        from tflrepair import __version__

        typer.echo(f"tflrepair {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    gc.freeze()  # the modules loaded so far are not looked through any more
    gc.set_threshold(50_000)  # a model is many objects that all stay, and no circles
    gc.enable()


def _with(names: Iterable[str]) -> typer.Typer:
    """The application with these commands."""
    made = typer.Typer(
        name="tflrepair",
        help="Find out what is wrong inside a .tflite file, and repair it.",
        epilog="Exit codes: 0 fine, 1 problems found, 2 could not do it.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_main)
    for name in names:
        command, line = _COMMANDS[name]
        made.command(name, short_help=line)(loud(command))
    return made


app = _with(_COMMANDS)


def main() -> None:
    """The console script. Every expected error becomes one line on stderr and exit code 2."""
    # TensorFlow and LiteRT write their logs past Python, between the lines of our report
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # nothing here multiplies matrices with numpy, whose threads for that cost more than its import
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    mode.read(sys.argv[1:], tuple(_COMMANDS))
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
        # typer looks into the options of each command that it knows, called or not
        called = _with([sys.argv[1]]) if sys.argv[1:2] == [mode.command] else app
        code = called(standalone_mode=False)
        return _flushed(code if isinstance(code, int) else 0)
    except SystemExit as leaving:  # typer's exit 1 for a reader that has left
        return 2 if isinstance(leaving.__context__, OSError) else _flushed(int(leaving.code or 0))
    except _CallError as error:
        error.message = _plain(error)
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
    except Exception:
        signals.again()  # what a signal raises inside __set_name__ Python 3.11 wraps in an error
        raise
    return 2


def _plain(error: Any) -> str:
    """What typer says of wrong words, without the name of a class of another library."""
    text = str(error.message).replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoSuchOption" and context and context.parent is None:
        text += " before the command; options stand behind it: tflrepair scan MODEL --quiet"
    return text


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        streams.report_broken(error)
        return 2
    return code
