"""The command that was given, with more options: what a refusal tells to paste."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import typer

from tflrepair.errors import UndecidedError, masked

_LEFT_OUT = frozenset({"dry_run", "everything", "map_out", "quiet", "verbose"})


def again(context: typer.Context, options: Iterable[str]) -> str:
    """The running command, as it was given, with ``options`` added; these are quoted already.

    Passwords in addresses are masked.
    """
    words = [shlex.quote(masked(word)) for word in _words(context)]
    return " ".join(["tflrepair", context.info_name or "", *words, *options])


@contextmanager
def paste_on_refusal(context: typer.Context) -> Iterator[None]:
    """Where something must be decided first, end the message with the command that decides it."""
    from tflrepair.report.fix_text import to_paste

    try:
        yield
    except UndecidedError as error:
        if error.options:
            error.message += f"\n{to_paste(again(context, error.options))}"
        raise


def _words(context: typer.Context) -> Iterator[str]:
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name in _LEFT_OUT or source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        if parameter.param_type_name == "argument":
            yield from _texts(value)
        elif value is True:
            yield parameter.opts[0]
        elif parameter.multiple:
            for one in value:
                yield from (parameter.opts[0], *_texts(one))
        else:
            yield from (parameter.opts[0], *_texts(value))


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, (list, tuple)) else (value,):
        yield str(one.value if isinstance(one, Enum) else one)
