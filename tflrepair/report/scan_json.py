"""A scan for machines: ``tflrepair/scan/1``. Its JSON Schema is schemas/scan-1.json.

Fields are only ever added to a version; a change of meaning makes a new one.
"""

from __future__ import annotations

from typing import Any

from tflrepair.analysis.entry_points import EntryPoint
from tflrepair.analysis.variables import Variable
from tflrepair.commands.scan import ScanResult
from tflrepair.findings import Finding
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model, Signature

SCHEMA = "tflrepair/scan/1"


def to_dict(result: ScanResult) -> dict[str, Any]:
    model, analysis = result.model, result.analysis
    return {
        "schema": SCHEMA,
        "model": _model(model),
        "subgraphs": [
            {
                "index": s.index,
                "name": s.name,
                "tensors": s.tensor_count,
                "operators": dict(s.operator_names().most_common()),
            }
            for s in model.subgraphs
        ],
        "signatures": [_signature(model, s) for s in model.signatures],
        "entries": [_entry(e) for e in analysis.entries],
        "variables": [_variable(v) for v in analysis.variables],
        "tables": [{"id": t.name, "status": t.status} for t in analysis.tables],
        "findings": [finding_dict(f) for f in result.findings],
    }


def _model(model: Model) -> dict[str, Any]:
    return {
        "path": model.path,
        "size": model.size,
        "version": model.version,
        "description": model.description,
        "buffers": model.buffer_count,
        "buffer_bytes": sum(b.length for b in model.buffers),
        "metadata": [name for name, _ in model.metadata],
    }


def _signature(model: Model, signature: Signature) -> dict[str, Any]:
    subgraph = model.subgraph(signature.subgraph)

    def tensors(pairs: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
        rows = [(name, subgraph.tensor(index)) for name, index in pairs]
        return [{"name": n, "dtype": t.dtype, "shape": list(t.shape)} for n, t in rows]

    return {
        "key": signature.key,
        "subgraph": signature.subgraph,
        "inputs": tensors(signature.inputs),
        "outputs": tensors(signature.outputs),
    }


def _entry(entry: EntryPoint) -> dict[str, Any]:
    first = entry.unset[0] if entry.unset else None
    return {
        "signatures": list(entry.signatures),
        "subgraph": entry.subgraph,
        "reads_unset": len(entry.unset),
        "first_unset": {"shared_name": first[0].shared_name, **_site(first[1])} if first else None,
        "calls_once": [target for _, target in entry.calls_once],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    initial = variable.initial
    return {
        "kind": variable.key.kind,
        "container": variable.key.container,
        "shared_name": variable.name,
        "dtype": variable.dtype,
        "shape": None if variable.shape is None else list(variable.shape),
        "bytes": variable.nbytes,
        "status": variable.status,
        "created_by": [_site(site) for site in variable.created_by],
        "assigned_by": [_site(site) for site in variable.assigned_by],
        "read_by": [_site(site) for site in variable.read_by],
        "unset_in": list(variable.unset_in),
        "set_by": list(variable.set_by),
        "initial_value": None
        if initial is None
        else {"subgraph": initial.target, "tensor": initial.tensor, "buffer": initial.buffer},
    }


def finding_dict(finding: Finding) -> dict[str, Any]:
    place = finding.location
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "signature": place.signature,
        "subgraph": place.subgraph,
        "operator": place.operator,
        "shared_name": place.variable,
    }


def _site(site: OperatorRef) -> dict[str, int]:
    return {"subgraph": site.subgraph, "operator": site.operator}
