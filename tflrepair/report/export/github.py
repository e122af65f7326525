"""Findings as workflow commands of GitHub Actions, which shows them beside the files.

``::error file=...,title=...::message``; data and properties are escaped as
actions/toolkit/packages/core/src/command.ts does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflrepair.errors import TflRepairError
from tflrepair.findings import Finding, Severity
from tflrepair.report.hints import hint
from tflrepair.report.style import safe

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def lines(path: str, findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        place = str(finding.location)
        text = finding.message + (f" ({place})" if place else "")
        if finding.hint:
            text += f"\n{hint(finding, path)}"
        yield _command(_COMMANDS[finding.severity], path, finding.code, text)


def failed(path: str, error: TflRepairError) -> str:
    return _command("error", path, "cannot be read", str(error))


def _command(name: str, path: str, title: str, text: str) -> str:
    message = "\n".join(safe(line) for line in text.split("\n"))
    return f"::{name} file={_property(safe(path))},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
