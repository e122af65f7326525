"""tflrepair explain"""

from __future__ import annotations

from typing import Annotated

import typer

from tflrepair.cli.output import emit


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="such as TFR001")],
) -> None:
    """Say what a finding means, why it matters, and how it is fixed."""
    from tflrepair.checks.registry import explain as explanation
    from tflrepair.commands.scan_saved_model import explain as of_saved_models

    emit(of_saved_models(code) or explanation(code))
