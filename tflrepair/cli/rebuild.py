"""tflrepair rebuild"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflrepair.cli.again import paste_on_refusal
from tflrepair.cli.options import (
    MapOption,
    RateOption,
    SetOption,
    WeightsOption,
    parse_sets,
    read_map,
)
from tflrepair.cli.output import emit, progress
from tflrepair.report.style import safe


def rebuild(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="the .tflite file")],
    emit_python: Annotated[
        str, typer.Option("--emit-python", metavar="OUT.py", help="the Python file to write")
    ],
    weights: WeightsOption = None,
    map_file: MapOption = None,
    set_values: SetOption = None,
    learning_rate: RateOption = None,
    force: Annotated[bool, typer.Option("--force", help="replace files that exist")] = False,
) -> None:
    """Write MODEL as a tf.Module in Python, its weights in an .npz beside it.

    The file runs by itself: `python OUT.py` converts it to OUT.tflite.
    """
    from tflrepair.commands.emit_python import emit_python as write_python

    with paste_on_refusal(context), progress("rebuilding"):
        npz = write_python(
            model,
            Path(emit_python),
            weights or (),
            mapping=read_map(map_file) if map_file else None,
            sets=parse_sets(set_values or []),
            learning_rate=learning_rate,
            force=force,
        )
    name = safe(emit_python)
    emit(f"written: {name} and {safe(str(npz))}; `python {name}` converts it")
