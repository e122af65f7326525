"""A scan as Markdown, for a comment on a change or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflrepair.commands.scan import ScanResult
from tflrepair.errors import TflRepairError
from tflrepair.findings import Finding
from tflrepair.report.fix_hints import to_dict
from tflrepair.report.hints import hint
from tflrepair.report.style import safe
from tflrepair.wording import megabytes, plural


def facts(scan: ScanResult) -> str:
    """Size and counts in a line."""
    model = scan.model
    count = sum(subgraph.operator_count for subgraph in model.subgraphs)
    return (
        f"{megabytes(model.size)}, {plural(count, 'operator')}, "
        f"{plural(len(model.signatures), 'signature')}, "
        f"{plural(len(scan.analysis.variables), 'variable')}"
    )


def lines(path: str, told: str, findings: Sequence[Finding]) -> Iterator[str]:
    """A heading, ``told``, and a table of the findings."""
    yield f"### {text(path)}"
    yield ""
    yield told
    yield ""
    if not findings:
        yield "Nothing wrong found."
        return
    yield "| | code | what | where | what to do |"
    yield "|---|---|---|---|---|"
    for finding in findings:
        cells = (str(finding.severity), finding.code, finding.message, str(finding.location))
        yield "| " + " | ".join(text(cell) for cell in (*cells, hint(finding, path))) + " |"


def fix_hints(scan: ScanResult) -> Iterator[str]:
    """How each kind of finding is fixed, as a list."""
    for code, told in to_dict(scan).items():
        yield f"- **{code}**: {text(told)}"


def failed(path: str, error: TflRepairError) -> Iterator[str]:
    yield f"### {text(path)}"
    yield ""
    yield text(f"cannot be read: {error}")


def text(value: str) -> str:
    """Names as they are, whatever Markdown or HTML they look like."""
    escaped = safe(" ".join(value.split()))
    for mark in "\\`*_{}[]<>#|~":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped.replace("&", "&amp;")
