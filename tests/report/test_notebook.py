"""What a notebook shows of results, and their rows as plain data."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT

from tflrepair.commands.add_state import add_state
from tflrepair.commands.diff import diff
from tflrepair.commands.extract import extract_part, extract_weights
from tflrepair.commands.fix.fix import fix
from tflrepair.commands.scan import scan
from tflrepair.commands.show import show
from tflrepair.commands.train_result import TrainResult
from tflrepair.commands.verify import verify

SAMPLE = ROOT / "tflrepair" / "samples" / "broken.tflite"


def results() -> list[Any]:
    return [
        scan(SAMPLE),
        show(SAMPLE),
        show(DATA / "healthy.tflite", tensor="w"),
        diff(DATA / "healthy.tflite", DATA / "f16.tflite"),
    ]


def made(folder: Path) -> list[Any]:
    """What the commands that write or run something give."""
    broken, weights = SAMPLE, SAMPLE.with_name("classifier.weights.h5")
    fixed = folder / "fixed.tflite"
    return [
        fix(broken, [weights], out=fixed, sets={"adam/learning_rate": "1e-3"}),
        fix(DATA / "healthy.tflite"),
        verify(DATA / "healthy.tflite"),
        add_state(fixed, folder / "state.tflite"),
        extract_weights(fixed, folder / "w.npz"),
        extract_part(DATA / "healthy.tflite", folder / "part.tflite", signature="infer"),
        TrainResult("m.tflite", "train", 8, (2.0, float("nan")), (0.1, 0.1), {}),
    ]


@pytest.mark.runs
def test_what_was_written_or_run_shows_itself(tmp_path: Path) -> None:
    for result in made(tmp_path):
        assert repr(result).startswith(f"<{type(result).__name__}: ")
        assert len(repr(result)) < 250
        assert "\n" not in repr(result)
        found = result.to_dict()
        json.dumps(found)
        rows = result.rows()
        assert rows or "nothing to do" in repr(result)
        assert result._repr_html_().count("<tr>") == (min(len(rows), 200) + 1 if rows else 0)
        assert len({tuple(row) for row in rows}) == (1 if rows else 0)


@pytest.mark.parametrize("number", range(4))
def test_results_show_themselves(number: int) -> None:
    result = results()[number]
    assert len(repr(result)) < 250
    assert "\n" not in repr(result)
    found = result.to_dict()
    json.dumps(found)
    assert found["rows"]
    page = result._repr_html_()
    assert page.count("<tr>") == min(len(found["rows"]), 200) + 1
    assert len({tuple(row) for row in found["rows"]}) == 1


def test_dataframe_where_pandas_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """pandas is no dependency; what is handed to it are the rows."""
    taken: list[Any] = []

    def frame(rows: Any) -> str:
        taken.append(rows)
        return "frame"

    pandas = types.ModuleType("pandas")
    pandas.DataFrame = frame  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    result = scan(SAMPLE)
    assert result.to_dataframe() == "frame"
    assert taken == [result.rows()]
