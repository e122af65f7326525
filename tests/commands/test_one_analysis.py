"""Each command analyses each file once, and not at all where it is handed a context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA

from tflrepair.analysis import context as home
from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import analyse
from tflrepair.commands.diff import diff
from tflrepair.commands.extract import extract_weights
from tflrepair.commands.scan import scan
from tflrepair.commands.show import show
from tflrepair.graph.model import load

MODEL = DATA / "healthy.tflite"


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the models that are analysed, in order."""
    paths: list[str] = []
    real = analyse

    def counted(model: Any) -> Any:
        paths.append(model.path)
        return real(model)

    monkeypatch.setattr(home, "analyse", counted)
    return paths


def extract(source: Any, folder: Path) -> object:
    return extract_weights(source, folder / "w.npz", force=True)


COMMANDS: dict[str, Callable[[Any, Path], object]] = {
    "scan": lambda source, _: scan(source),
    "show": lambda source, _: show(source).rows(),
    "extract": extract,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_one_analysis_for_each_file(name: str, analysed: list[str], tmp_path: Path) -> None:
    COMMANDS[name](MODEL, tmp_path)
    assert analysed == [str(MODEL)]


def test_diff_analyses_both_once(analysed: list[str]) -> None:
    other = DATA / "f16.tflite"
    assert not diff(MODEL, other).same
    assert analysed == [str(MODEL), str(other)]


def test_a_context_goes_through_all_of_them(analysed: list[str], tmp_path: Path) -> None:
    context = AnalysisContext(load(MODEL))
    for command in COMMANDS.values():
        command(context, tmp_path)
    assert diff(context, context).same
    assert analysed == [str(MODEL)]


def test_what_a_room_above_computes_of_a_file_is_kept() -> None:
    asked: list[AnalysisContext] = []

    def count(context: AnalysisContext) -> int:
        asked.append(context)
        return len(context.model.subgraphs)

    context = AnalysisContext(load(MODEL))
    twin = context.renamed("other.tflite")
    assert context.once(count) == context.once(count) == twin.once(count) > 0
    assert asked == [context]
    assert AnalysisContext(load(MODEL)).once(count) == context.once(count)
    assert len(asked) == 2
