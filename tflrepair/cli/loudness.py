"""``-q`` and ``-v``, which every command takes; and what it is about, for hints."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from tflrepair.cli.mode import mode
from tflrepair.errors import masked

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print nothing but errors; see the exit code")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="print steps and the logs of native code to stderr")
]


def loud(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with ``--quiet`` and ``--verbose`` behind its own options."""

    @wraps(command)
    def told(**given: Any) -> None:
        mode.quiet, mode.verbose = given.pop("quiet"), given.pop("verbose")
        model = given.get("model")
        mode.model = masked(model) if isinstance(model, str) else model
        command(**given)

    hints = get_type_hints(command, include_extras=True)
    rows = [
        row.replace(annotation=hints[row.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for row in inspect.signature(command).parameters.values()
    ]
    rows += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in (("quiet", Quiet), ("verbose", Verbose))
    ]
    told.__signature__ = inspect.Signature(rows)  # type: ignore[attr-defined]
    told.__annotations__ = {row.name: row.annotation for row in rows}
    return told
