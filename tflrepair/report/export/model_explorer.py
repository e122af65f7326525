"""Node data for Google's Model Explorer: which operators findings are about.

The format is that of ``model_explorer.node_data_builder``: graph id -> {"results": {node id ->
{"value", "bgColor"}}}. Its own reader of .tflite files calls a graph by its subgraph's name and a
node by the operator's index. Of subgraphs with one name, each is marked where any of them is.
"""

from __future__ import annotations

from typing import Any

from tflrepair.commands.scan import ScanResult
from tflrepair.findings import Severity

_COLOURS = {Severity.ERROR: "#d93025", Severity.WARNING: "#f9ab00", Severity.INFO: "#4285f4"}
_RANK = {Severity.ERROR: 3, Severity.WARNING: 2, Severity.INFO: 1}


def to_dict(scan: ScanResult) -> dict[str, Any]:
    """Operators of findings, and those that touch variables read unset."""
    worst: dict[tuple[int, int], tuple[Severity, str]] = {}
    for finding in scan.findings:
        place = finding.location
        if place.subgraph is not None and place.operator is not None:
            _note(worst, (place.subgraph, place.operator), finding.severity, finding.code)
    for variable in scan.analysis.variables:
        if variable.unset_in:
            for site in (*variable.created_by, *variable.read_by):
                _note(worst, (site.subgraph, site.operator), Severity.ERROR, "unset variable")
    graphs: dict[str, Any] = {}
    ids = graph_ids(scan)
    for (subgraph, operator), (severity, told) in sorted(worst.items()):
        graph = graphs.setdefault(ids[subgraph], {"name": "tflrepair", "results": {}})
        graph["results"][str(operator)] = {"value": told, "bgColor": _COLOURS[severity]}
    return graphs


def _note(
    worst: dict[tuple[int, int], tuple[Severity, str]],
    place: tuple[int, int],
    severity: Severity,
    told: str,
) -> None:
    known = worst.get(place)
    if known is None or _RANK[known[0]] < _RANK[severity]:
        worst[place] = (severity, told)


def graph_ids(scan: ScanResult) -> list[str]:
    """What Model Explorer calls each subgraph; it cannot tell apart those of one name.

    The name; where there is none, a signature's key; else ``main`` for the first and
    ``subgraph_N`` for others: so does ai-edge-model-explorer 0.1.34, and `make test-explorer`
    holds this against it.
    """
    keys: dict[int, str] = {}
    for signature in scan.model.signatures:
        keys.setdefault(signature.subgraph, signature.key)
    return [
        subgraph.name
        or keys.get(subgraph.index)
        or (f"subgraph_{subgraph.index}" if subgraph.index else "main")
        for subgraph in scan.model.subgraphs
    ]
