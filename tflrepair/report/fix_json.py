"""A repair for machines."""

from __future__ import annotations

from collections import Counter

from tflrepair.commands.emit_python import PythonFile
from tflrepair.commands.fix.result import FixResult
from tflrepair.report.contract.fix import FixItem, PythonItem, ValueItem
from tflrepair.report.runs import verify_json
from tflrepair.report.scan_json import finding_item
from tflrepair.weights.types.match_table import WEIGHT, MatchTable, Row


def item(result: FixResult) -> FixItem:
    scanned = result.after or result.before
    table = result.table or MatchTable(())
    return {
        "ok": not result.problems,
        "model": result.before.model.path,
        "changes": result.changes,
        "out": result.out,
        "size": result.size or None,
        "notes": list(result.notes),
        "replaced": len(result.plan.replacements) if result.plan else 0,
        "calls_added": len(result.plan.calls) if result.plan else 0,
        "renamed": [
            {"subgraph": r.site.subgraph, "operator": r.site.operator, "names": list(r.names)}
            for r in (result.plan.renames if result.plan else ())
        ],
        "variables": [_row(row) for row in table.rows],
        "problems": [
            {
                "kind": problem.kind,
                "variables": list(problem.variables),
                "message": problem.message,
                "candidates": list(problem.candidates),
                "hint": problem.hint,
                "options": list(problem.options),
            }
            for problem in table.problems
        ],
        "sure": dict(Counter(row.confidence for row in table.rows if row.origin == WEIGHT)),
        "unproven": [row.target.shared_name for row in result.unproven],
        "accepted": table.accepted,
        "assumptions": [
            {"text": assumption.text, "option": assumption.option, "variables": names}
            for assumption, names in table.assumptions.items()
        ],
        "unused": [{"source": w.source, "path": w.path} for w in table.unused],
        "warnings": list(table.warnings),
        "findings": [finding_item(finding, scanned.model) for finding in scanned.findings],
        "run": verify_json.item(result.run) if result.run else None,
        "not_run": result.not_run or None,
    }


def _row(row: Row) -> ValueItem:
    return {
        "container": row.target.container,
        "shared_name": row.target.shared_name,
        "origin": row.origin,
        "source": row.weight.source if row.weight else None,
        "path": row.weight.path if row.weight else None,
        "fill": row.fill,
        "reason": row.reason,
        "confidence": row.confidence,
        "documented_in": row.source or None,
        "assumption": row.assumption.text if row.assumption else None,
    }


def python_item(written: PythonFile) -> PythonItem:
    table = written.table or MatchTable(())
    return {
        "ok": not written.problems,
        "python": written.python,
        "weights": written.weights,
        "unproven": [row.target.shared_name for row in table.unproven],
        "accepted": table.accepted,
        "assumptions": [
            {"text": assumption.text, "option": assumption.option, "variables": names}
            for assumption, names in table.assumptions.items()
        ],
    }
