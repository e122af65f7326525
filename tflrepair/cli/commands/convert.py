"""tflrepair convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflrepair.cli.groups import grouped
from tflrepair.cli.options import (
    ForceOption,
    FormatOption,
    InitKwargsOption,
    WithoutFlex,
    json_object,
)
from tflrepair.cli.output import Format, emit, emit_results, progress
from tflrepair.errors import UserError
from tflrepair.progress import silent
from tflrepair.report.style import safe
from tflrepair.wording import megabytes


@grouped
def convert(
    *,
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="a SavedModel folder, x.keras, or FILE.py:CLASS"),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="OUT", help="the .tflite file")],
    signature: Annotated[
        list[str] | None,
        typer.Option("--signature", metavar="NAME", help="only this signature; may be repeated"),
    ] = None,
    init_kwargs: InitKwargsOption = None,
    without_flex: WithoutFlex,
    force: ForceOption = False,
    format: FormatOption = Format.text,
) -> None:
    """Convert to a .tflite that keeps its weights. FILE.py:CLASS runs the code in that file."""
    from tflrepair.commands.convert import convert_to_file
    from tflrepair.sources.opened import is_address

    is_module = source.rpartition(":")[0].endswith(".py")
    if init_kwargs is not None and not is_module:
        raise UserError("--init-kwargs belongs to FILE.py:CLASS")
    kwargs = json_object(init_kwargs, "--init-kwargs") if init_kwargs else {}
    with progress("converting") as tell:
        made = convert_to_file(
            source if is_module or is_address(source) else Path(source),
            Path(output),
            signature,
            kwargs,
            force,
            progress=tell or silent,
            options=without_flex.asked,
        )
    size = len(made.data)
    if format is Format.json:
        item = {"ok": True, "source": source, "out": output, "size": size}
        emit_results(0, [item | {"notes": list(made.notes)}])
    else:
        for note in made.notes:
            emit(safe(note))
        emit(f"written: {safe(output)}, {megabytes(size)}; every variable has a value")
