"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tflrepair import __version__
from tflrepair.checks.registry import all_checks
from tflrepair.commands.scan_saved_model import explain
from tflrepair.errors import TflRepairError
from tflrepair.findings import Finding, Severity
from tflrepair.report.hints import hint
from tflrepair.report.style import safe

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_dict(
    scans: Iterable[tuple[str, Sequence[Finding]]], failed: Mapping[str, TflRepairError]
) -> dict[str, Any]:
    """One run over all models.

    Args:
        scans: (path, findings) of each.
        failed: path -> why it could not be read.
    """
    scans = list(scans)
    rules = list(_rules(dict.fromkeys(f.code for _, findings in scans for f in findings)))
    places = {rule["id"]: number for number, rule in enumerate(rules)}
    notes = [
        {
            "level": "error",
            "message": {"text": safe(error.message + (f"; {error.hint}" if error.hint else ""))},
            "locations": [_location(path, {})],
        }
        for path, error in failed.items()
    ]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "tflrepair", "version": __version__, "rules": rules}},
                "invocations": [
                    {"executionSuccessful": not failed, "toolExecutionNotifications": notes}
                ],
                "results": [
                    _result(finding, path, places)
                    for path, findings in scans
                    for finding in findings
                ],
                "columnKind": "utf16CodeUnits",
            }
        ],
    }


def _rules(used: Iterable[str]) -> Iterator[dict[str, Any]]:
    checks = {check.code: check for check in all_checks()}
    for code in sorted(used):
        text = explain(code)
        if code in checks:
            yield _rule(code, checks[code].doc, checks[code].severity)
        elif text is not None:
            yield _rule(code, text.split(": ", 1)[1], Severity.ERROR)


def _rule(code: str, doc: str, severity: Severity) -> dict[str, Any]:
    first, _, rest = doc.partition("\n")
    return {
        "id": code,
        "shortDescription": {"text": first.strip()},
        "fullDescription": {"text": rest.strip() or first.strip()},
        "help": {"text": doc},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(finding: Finding, path: str, places: Mapping[str, int]) -> dict[str, Any]:
    text = safe(finding.message)
    if finding.hint:
        text += f"\n{hint(finding, path)}"
    row: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(path, _logical(finding))],
    }
    if finding.code in places:
        row["ruleIndex"] = places[finding.code]
    if finding.location.offset is not None:
        region = {"byteOffset": finding.location.offset, "byteLength": 1}
        row["locations"][0]["physicalLocation"]["region"] = region
    return row


def _logical(finding: Finding) -> dict[str, Any]:
    """The place inside the model, as the path through its tables."""
    place = finding.location
    if place.path:
        return {"fullyQualifiedName": safe(place.path), "kind": "element"}
    parts = [
        f"{name}s[{value}]"
        for name in ("subgraph", "operator", "tensor", "buffer")
        if (value := getattr(place, name)) is not None
    ]
    if not parts and place.variable is None:
        return {}
    named = {"name": safe(place.variable)} if place.variable is not None else {}
    qualified = {"fullyQualifiedName": ".".join(parts)} if parts else {}
    return {**named, **qualified, "kind": "variable" if named else "element"}


def _location(path: str, logical: dict[str, Any]) -> dict[str, Any]:
    from urllib.parse import quote

    # an address is a URI already
    uri = path if "://" in path else quote(path.encode("utf-8", "surrogateescape"))
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    if logical:
        place["logicalLocations"] = [logical]
    return place
