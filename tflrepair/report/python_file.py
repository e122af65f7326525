"""The Python file that `rebuild --emit-python` wrote, and what its values rest on."""

from __future__ import annotations

from tflrepair.commands.emit_python import PythonFile
from tflrepair.report.contract.fix import PythonItem
from tflrepair.report.fix_text import assumed, unproven
from tflrepair.report.style import Style, safe
from tflrepair.weights.types.match_table import MatchTable

_PROVE = (
    "repair the model with `tflrepair fix` and --check IN.npz OUT.npz, then rebuild what it wrote"
)


def item(written: PythonFile) -> PythonItem:
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


def render(written: PythonFile, style: Style) -> str:
    name, table = safe(written.python), written.table or MatchTable(())
    lines = [f"written: {name} and {safe(written.weights)}; `python {name}` converts it"]
    return "\n".join([*assumed(table), *lines, *unproven(table, style, _PROVE)])
