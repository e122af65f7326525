"""A scan as one self-contained page: no network, no other file, names of the model made harmless.

All data stands in one JSON block, in which ``<`` is escaped, and reaches the page as text nodes
only. A content security policy keeps the page from loading anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from tflrepair.analysis.variables import Variable
from tflrepair.commands.scan import ScanResult
from tflrepair.errors import TflRepairError
from tflrepair.findings import Severity
from tflrepair.report import layout
from tflrepair.report.hints import hint
from tflrepair.report.style import safe
from tflrepair.views.options import options
from tflrepair.views.tensors import SubgraphView
from tflrepair.wording import dimensions, megabytes, plural, share

_PAGE = Path(__file__).parent / "page"
_READS, _SETS, _UNSET = 1, 2, 4


def render(scan: ScanResult) -> str:
    """The page. A file that grows with the graph, not with the weights."""
    data = json.dumps(_data(scan), separators=(",", ":"), ensure_ascii=True)
    parts = {
        "title": escape(safe(scan.model.path or "model")),
        "style": (_PAGE / "page.css").read_text(encoding="utf-8"),
        "script": (_PAGE / "page.js").read_text(encoding="utf-8"),
        "data": data.replace("<", "\\u003c"),
    }
    text = (_PAGE / "page.html").read_text(encoding="utf-8")
    # in one pass: what a name brings along is not looked at again
    return re.sub(r"@@(\w+)@@", lambda match: parts[match[1]], text)


def _data(scan: ScanResult) -> dict[str, Any]:
    model, analysis = scan.model, scan.analysis
    views = [SubgraphView(model, n) for n in range(len(model.subgraphs))]
    return {
        "path": safe(model.path or "model"),
        "words": list(_words(scan)),
        "findings": [
            {
                "severity": str(f.severity),
                "code": f.code,
                "message": safe(f.message),
                "hint": hint(f, model.path),
                "place": safe(str(f.location)),
                "subgraph": f.location.subgraph,
                "operator": f.location.operator,
            }
            for f in scan.findings
        ],
        "entries": [safe(entry.label) for entry in analysis.entries],
        "variables": [_variable(scan, v) for v in analysis.variables],
        "subgraphs": [_subgraph(view) for view in views],
    }


def _words(scan: ScanResult) -> Iterator[str]:
    """What anyone should know first, in sentences."""
    model, variables = scan.model, scan.analysis.variables
    count = sum(subgraph.operator_count for subgraph in model.subgraphs)
    keys = ", ".join(f"`{safe(s.key)}`" for s in model.signatures) or "none"
    yield (
        f"The file has {megabytes(model.size)} and {plural(count, 'operator')} in "
        f"{plural(len(model.subgraphs), 'subgraph')}. Signatures: {keys}."
    )
    unset = [v for v in variables if v.unset_in]
    if unset:
        need = sum(v.nbytes or 0 for v in unset)
        readers = sorted({label for v in unset for label in v.unset_in})
        who = " and ".join(f"`{safe(r)}`" for r in readers)
        verb = "reads" if len(readers) == 1 else "read"
        yield (
            f"{share(len(unset), len(variables), 'variable', 'has', 'have')} no value when "
            f"{who} {verb} {'it' if len(unset) == 1 else 'them'}: {megabytes(need)} are missing."
        )
    elif variables:
        yield "Each variable has a value when it is read."
    else:
        yield "It has no variables."
    errors = sum(f.is_problem for f in scan.findings)
    warnings = sum(f.severity == Severity.WARNING for f in scan.findings)
    told = [
        plural(number, noun)
        for number, noun in ((errors, "error"), (warnings, "warning"))
        if number
    ]
    yield f"Found: {' and '.join(told)}." if told else "Nothing wrong was found."


def _variable(scan: ScanResult, variable: Variable) -> dict[str, Any]:
    calls = scan.context.calls
    cells = []
    for entry in scan.analysis.entries:
        reached = set(calls.reachable(entry.subgraph))
        bits = _READS * any(s.subgraph in reached for s in variable.read_by)
        bits |= _SETS * any(s.subgraph in reached for s in variable.assigned_by)
        bits |= _UNSET * (entry.label in variable.unset_in)
        cells.append(bits)
    shape = "?" if variable.shape is None else dimensions(variable.shape)
    sites = (*variable.read_by, *variable.assigned_by)[:20]
    return {
        "name": safe(variable.name),
        "type": f"{variable.dtype or '?'} {shape}",
        "bytes": variable.nbytes or 0,
        "status": str(variable.status),
        "cells": cells,
        "sites": [[s.subgraph, s.operator] for s in sites],
    }


def _subgraph(view: SubgraphView) -> dict[str, Any]:
    graph = view.subgraph
    tensors = []
    for number in range(graph.tensor_count):
        tensor = graph.tensor(number)
        tensors.append([safe(tensor.name), f"{tensor.dtype} {dimensions(tensor.shape)}"])
    rows = []
    for operator in graph.operators:
        try:
            found = options(view.model, operator)
            told = ", ".join(f"{safe(k)} {layout.value(v)}" for k, v in found.values.items())
        except TflRepairError as error:
            told = safe(str(error))
        rows.append([safe(operator.name), list(operator.inputs), list(operator.outputs), told])
    return {"name": safe(graph.name), "tensors": tensors, "operators": rows}
