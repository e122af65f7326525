"""tflrepair convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tflrepair.cli.options import (
    BatchOption,
    ForceOption,
    InitKwargsOption,
    KeepFlexOption,
    NoFlexOption,
    StateOption,
    json_object,
    no_flex_options,
)
from tflrepair.cli.output import emit, progress
from tflrepair.errors import UserError
from tflrepair.report.style import safe


def convert(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="a SavedModel folder, or FILE.py:CLASS")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="OUT", help="the .tflite file")],
    signature: Annotated[
        list[str] | None,
        typer.Option("--signature", metavar="NAME", help="only these; may be repeated"),
    ] = None,
    init_kwargs: InitKwargsOption = None,
    no_flex: NoFlexOption = False,
    batch: BatchOption = None,
    state: StateOption = None,
    keep_flex: KeepFlexOption = None,
    force: ForceOption = False,
) -> None:
    """Convert to a .tflite that keeps its weights. FILE.py:CLASS runs the code in that file."""
    from tflrepair.commands.convert import convert_to_file

    is_module = source.rpartition(":")[0].endswith(".py")
    if init_kwargs is not None and not is_module:
        raise UserError("--init-kwargs belongs to FILE.py:CLASS")
    kwargs = json_object(init_kwargs, "--init-kwargs") if init_kwargs else {}
    options = no_flex_options(no_flex, batch, state, keep_flex)
    more: dict[str, Any] = {}
    if options is not None:
        more = {"flex": False, "batch": options.batch, "state": options.state}
        more["keep_flex"] = options.keep
    with progress("converting"):
        size = convert_to_file(
            source if is_module else Path(source), Path(output), signature, kwargs, force, **more
        )
    emit(f"written: {safe(output)}, {size} bytes; every variable has a value")
