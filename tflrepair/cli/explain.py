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

    emit(explanation(code))
