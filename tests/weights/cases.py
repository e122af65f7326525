"""The shipped models, and what they answer once they have been repaired."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan, NewValue, needing_values
from tflrepair.weights import MatchTable, Row, Source, Target

DATA = Path(__file__).parent / "data"
CASES = ("row", "parallel", "towers", "subclassed")


def targets(case: str) -> tuple[Target, ...]:
    model = load(DATA / case / "model.tflite")
    return weights.targets_of(model, needing_values(analyse(model)))


def match(case: str, *sources: Source | Any, **options: Any) -> MatchTable:
    opened = [s if isinstance(s, Source) else weights.open_weights(s) for s in sources]
    return weights.match(targets(case), opened, **options)


def repaired(case: str, table: MatchTable) -> bytes:
    """The model with the table's values grafted in."""
    model = load(DATA / case / "model.tflite")
    analysis = analyse(model)
    rows = {row.target.shared_name: row for row in table.rows}
    values = tuple(_value(v.key, v.dtype, rows[v.name]) for v in needing_values(analysis))
    out = io.BytesIO()
    entries = tuple(entry.subgraph for entry in analysis.entries)
    graft(model, GraftPlan(entries, values, ())).write(out)
    return out.getvalue()


def _value(key: Any, dtype: str | None, row: Row) -> NewValue:
    data = row.value().tobytes()
    return NewValue(key, dtype or "", row.shape, len(data), row.reason, lambda: [data])


def answers_right(case: str, table: MatchTable) -> bool:
    """Whether `infer` of the repaired model gives what Keras gave."""
    from running import Session

    wanted = np.load(DATA / case / "io.npz")
    got = Session(repaired(case, table)).run("infer", x=wanted["x"])["y"]
    return bool(np.allclose(got, wanted["y"], rtol=1e-5, atol=1e-5))


def values(table: MatchTable) -> dict[str, Any]:
    return {row.target.shared_name: row.value() for row in table.rows}


def same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)
