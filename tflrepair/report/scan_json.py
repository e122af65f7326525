"""A scan for machines. Fields are only ever added; a change of meaning makes a new version."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.analysis.entry_points import EntryPoint
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Variable
from tflrepair.commands.scan import ScanResult
from tflrepair.findings import Finding
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model, Signature
from tflrepair.report.contract.parts import FindingItem, PortItem, SiteItem
from tflrepair.report.contract.scan import (
    EntryItem,
    ModelItem,
    ScanItem,
    ScanSignature,
    TargetItem,
    UnsetItem,
    VariableItem,
)
from tflrepair.report.hints import hint


def item(result: ScanResult, targets: Sequence[TargetItem] = ()) -> ScanItem:
    model, analysis = result.model, result.analysis
    return {
        "kind": "tflite",
        "ok": result.ok and all(target["ok"] for target in targets),
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
        "findings": [finding_item(f, model) for f in result.findings],
        "targets": list(targets),
    }


def _model(model: Model) -> ModelItem:
    return {
        "path": model.path,
        "size": model.size,
        "version": model.version,
        "description": model.description,
        "buffers": model.buffer_count,
        "buffer_bytes": sum(b.length for b in model.buffers),
        "metadata": [name for name, _ in model.metadata],
    }


def _signature(model: Model, signature: Signature) -> ScanSignature:
    subgraph = model.subgraph(signature.subgraph)

    def tensors(pairs: tuple[tuple[str, int], ...]) -> list[PortItem]:
        rows = [(name, subgraph.tensor(index)) for name, index in pairs]
        return [{"name": n, "dtype": t.dtype, "shape": list(t.shape)} for n, t in rows]

    return {
        "key": signature.key,
        "subgraph": signature.subgraph,
        "inputs": tensors(signature.inputs),
        "outputs": tensors(signature.outputs),
    }


def _entry(entry: EntryPoint) -> EntryItem:
    first = entry.unset[0] if entry.unset else None
    return {
        "signatures": list(entry.signatures),
        "subgraph": entry.subgraph,
        "reads_unset": len(entry.unset),
        "first_unset": _unset(*first) if first else None,
        "calls_once": [target for _, target in entry.calls_once],
    }


def _variable(variable: Variable) -> VariableItem:
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


def finding_item(finding: Finding, model: Model | None = None) -> FindingItem:
    """A finding as data; its hint has the real name of the file, if there is one, to be pasted."""
    place = finding.location
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "hint": hint(finding, model.path if model is not None else None),
        "signature": place.signature,
        "subgraph": place.subgraph,
        "operator": place.operator,
        "shared_name": place.variable,
        "variables": list(finding.variables),
    }


def _unset(key: ResourceId, site: OperatorRef) -> UnsetItem:
    return {
        "shared_name": key.shared_name,
        "subgraph": site.subgraph,
        "operator": site.operator,
    }


def _site(site: OperatorRef) -> SiteItem:
    return {"subgraph": site.subgraph, "operator": site.operator}
