"""What to do about the findings of a scan, in order: each kind once, with the commands to paste."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.checks.registry import how_fixed
from tflrepair.commands.scan import ScanResult
from tflrepair.findings import Severity
from tflrepair.report import layout
from tflrepair.report.hints import pasteable
from tflrepair.report.style import Style

_ORDER = list(Severity)


def to_dict(scan: ScanResult) -> dict[str, str]:
    """Code -> how it is fixed, the worst first."""
    codes = {f.code: f.severity for f in reversed(scan.findings)}
    ranked = sorted(codes, key=lambda code: (_ORDER.index(codes[code]), code))
    told = {code: how_fixed(code) for code in ranked}
    return {code: pasteable(text, scan.model.path) for code, text in told.items() if text}


def lines(scan: ScanResult, style: Style, width: int) -> Iterator[str]:
    """For people. Empty if nothing was found that can be repaired."""
    told = to_dict(scan)
    if told:
        yield style("How to fix it", "bold")
    for code, text in told.items():
        yield from layout.paragraphs(f"  {code}  {text}", width)
