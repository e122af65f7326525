"""tflrepair explain"""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from tflrepair.cli.output import emit


def explain(
    code: Annotated[
        str | None,
        typer.Argument(metavar="CODE", help="such as TFR001, or a runtime's error text; none: all"),
    ] = None,
) -> None:
    """Say what a finding or a runtime's error means, why it matters, and how it is fixed."""
    from tflrepair.commands.explain import explain as explanation
    from tflrepair.commands.explain import overview
    from tflrepair.report import layout

    if code is not None:
        emit("\n".join(layout.paragraphs(explanation(code), shutil.get_terminal_size().columns)))
        return
    for line in layout.columns(overview(), shutil.get_terminal_size().columns, 2, indent=""):
        emit(line)
