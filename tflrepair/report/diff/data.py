"""The difference of two models as plain data."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.commands.diff.result import Change, DiffResult, RunDiff, SubgraphDiff, ValueGap
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.report.contract.diff import (
    ChangeItem,
    DiffItem,
    GapItem,
    PlaceItem,
    RunDiffItem,
    SubgraphDiffItem,
)
from tflrepair.report.show.data import plain


def item(result: DiffResult) -> DiffItem:
    return {
        "ok": result.same,
        "same": result.same,
        "a": {"path": result.a.path, "size": result.a.size},
        "b": {"path": result.b.path, "size": result.b.size},
        "signatures": _changes(result.signatures),
        "subgraphs": [_subgraph(row) for row in result.subgraphs],
        "only_a": list(result.only_a),
        "only_b": list(result.only_b),
        "variables": _changes(result.variables),
        "remarks": _changes(result.remarks),
        "run": None if result.run is None else _run(result.a, result.run),
    }


def _changes(rows: Sequence[Change]) -> list[ChangeItem]:
    return [
        {
            "what": row.what,
            "name": row.name or None,
            "a": row.a or None,
            "b": row.b or None,
            "max_abs": plain(row.max_abs),
            "mean_abs": plain(row.mean_abs),
            "scale": plain(row.scale),
        }
        for row in rows
    ]


def _operator(operator: Operator) -> PlaceItem:
    return {"index": operator.index, "name": operator.name}


def _subgraph(row: SubgraphDiff) -> SubgraphDiffItem:
    return {
        "a": row.a,
        "b": row.b,
        "label": row.label,
        "same": row.same,
        "aligned": [list(pair) for pair in row.pairs],
        "removed": [_operator(o) for o in row.removed],
        "inserted": [_operator(o) for o in row.inserted],
        "changed": [
            {"a": _operator(c.a), "b": _operator(c.b), "changes": _changes(c.changes)}
            for c in row.changed
        ],
        "ports": _changes(row.ports),
        "renamed": row.renamed,
        "unpacking": list(row.unpacking),
    }


def _run(model: Model, run: RunDiff) -> RunDiffItem:
    return {
        "label": run.label,
        "runtime": run.runtime,
        "inputs": run.inputs,
        "same": run.same,
        "compared": run.compared,
        "missing": [{"tensor": name, "why": why} for name, why in run.missing],
        "fault": None if run.fault is None else _gap(model, run.fault),
        "gaps": [_gap(model, gap) for gap in run.gaps],
    }


def _gap(model: Model, gap: ValueGap) -> GapItem:
    tensor = model.subgraph(gap.a.subgraph).tensor(gap.a.outputs[gap.output])
    return {
        "a": _operator(gap.a),
        "b": _operator(gap.b),
        "output": gap.output,
        "tensor": tensor.name,
        "max_abs": plain(gap.max_abs),
        "mean_abs": plain(gap.mean_abs),
        "scale": plain(gap.scale),
        "beyond": gap.beyond,
        "at_fault": gap.at_fault,
        "text": gap.text or None,
    }
