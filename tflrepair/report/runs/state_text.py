"""What ``add-state`` did, for people."""

from __future__ import annotations

from tflrepair.commands.add_state import StateResult
from tflrepair.passes.add_state.plan import GET, SET
from tflrepair.report.contract.small import StateItem
from tflrepair.report.style import safe
from tflrepair.wording import megabytes, plural

_SHOWN = 6


def lines(model: str, result: StateResult) -> list[str]:
    if result.out is None:
        return [f"{safe(model)} has {GET} and {SET} already; nothing was written"]
    names = ", ".join(result.names[:_SHOWN]) + (", ..." if len(result.names) > _SHOWN else "")
    rows = [
        f"{GET} and {SET} hold {plural(len(result.names), 'variable')}: {safe(names)}",
        f"written: {safe(result.out)}, {megabytes(result.size)}",
    ]
    if result.run is None:
        rows.append("not run: LiteRT is not installed (pip install 'tflrepair[run]')")
    else:
        rows.append("ran it: the state of one interpreter, given to another, came back the same")
    return rows


def item(model: str, result: StateResult) -> StateItem:
    """The same as data."""
    return {
        "ok": True,
        "model": model,
        "out": result.out,
        "size": result.size or None,
        "variables": list(result.names),
        "ran": result.run,
    }
