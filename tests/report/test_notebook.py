"""What a notebook shows of results, and their rows as plain data."""

from __future__ import annotations

import json
import sys
import types
from typing import Any

import pytest
from conftest import DATA, ROOT

from tflrepair.commands.diff import diff
from tflrepair.commands.scan import scan
from tflrepair.commands.show import show

SAMPLE = ROOT / "tflrepair" / "samples" / "broken.tflite"


def results() -> list[Any]:
    return [
        scan(SAMPLE),
        show(SAMPLE),
        show(DATA / "healthy.tflite", tensor="w"),
        diff(DATA / "healthy.tflite", DATA / "f16.tflite"),
    ]


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
