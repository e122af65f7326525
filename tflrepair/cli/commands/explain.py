"""tflrepair explain"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from tflrepair.cli.options import FormatOption
from tflrepair.cli.output import Format, emit, emit_results

if TYPE_CHECKING:
    from tflrepair.report.contract.small import ExplainItem


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE", help="such as TFR001, or a runtime's error text; without it: all"
        ),
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Say what a finding or a runtime's error means, why it matters, and how it is fixed."""
    from tflrepair.commands.explain import explain as explanation
    from tflrepair.commands.explain import overview
    from tflrepair.report import layout

    if format is Format.json:
        emit_results(0, _items(code))
    elif code is not None:
        emit("\n".join(layout.paragraphs(explanation(code), shutil.get_terminal_size().columns)))
    else:
        for line in layout.columns(overview(), shutil.get_terminal_size().columns, 2, indent=""):
            emit(line)


def _items(wanted: str | None) -> list[ExplainItem]:
    """The code or message that is asked for, or every code."""
    from tflrepair.commands.explain import explain, overview

    known = {code: (severity, title) for code, severity, title in overview()}
    if wanted is not None and wanted.strip().upper() not in known:
        text = explain(wanted)
        title = text.splitlines()[0]
        return [{"ok": True, "code": None, "severity": None, "title": title, "text": text}]
    return [
        {
            "ok": True,
            "code": code,
            "severity": severity,
            "title": title,
            "text": explain(code),
        }
        for code, (severity, title) in known.items()
        if wanted is None or code == wanted.strip().upper()
    ]
