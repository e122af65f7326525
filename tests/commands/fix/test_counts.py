"""Work that is done once: one load and one analysis for each distinct file."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tflrepair
from tflrepair.analysis.flow import Flow
from tflrepair.analysis.variables import analyse
from tflrepair.graph import model
from tflrepair.passes.freeze.handles import trace
from tflrepair.sources.source import ByteSource

pytestmark = pytest.mark.runs

RATE = {"adam/learning_rate": "0.001"}


class Counts:
    """Loads, analyses and flows, by the content of the file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loads: Counter[str] = Counter()
        self.analyses: Counter[str] = Counter()
        self.flows = 0
        opened, begin = model.from_source, Flow.__init__

        def analysed(whole: Any) -> Any:
            self.analyses[digest(whole.data)] += 1
            return analyse(whole)

        def loaded(source: ByteSource, path: str | None = None) -> Any:
            self.loads[digest(source.read(0, source.size))] += 1
            return opened(source, path)

        def begun(flow: Flow, whole: Any) -> None:
            self.flows += 1
            begin(flow, whole)

        monkeypatch.setattr("tflrepair.analysis.context.analyse", analysed)
        monkeypatch.setattr(model, "from_source", loaded)
        monkeypatch.setattr(Flow, "__init__", begun)


def digest(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("options", "files"),
    [({}, 2), ({"freeze": True}, 4), ({"strategy": "optimize"}, 6)],
    ids=["graft", "freeze", "optimize"],
)
def test_each_file_is_loaded_and_analysed_once(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    files: int,
) -> None:
    """The input, what each pass writes and, for a fold, what MLIR exported (which is not analysed,
    since what comes of it is)."""
    counts = Counts(monkeypatch)
    weights = [sample / "classifier.weights.h5"]
    out = tmp_path / "out.tflite"
    tflrepair.fix(sample / "broken.tflite", weights, sets=RATE, out=out, **options)
    assert set(counts.loads.values()) == {1}
    assert set(counts.analyses.values()) == {1}
    assert len(counts.loads) == files
    assert len(counts.analyses) == counts.flows == files - ("strategy" in options)


def test_a_freeze_is_planned_once_for_each_file(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[str] = []

    def counted(whole: Any) -> Any:
        planned.append(digest(whole.data))
        return trace(whole)

    monkeypatch.setattr("tflrepair.passes.freeze.plan.trace", counted)
    weights = [sample / "classifier.weights.h5"]
    out = tmp_path / "out.tflite"
    tflrepair.fix(sample / "broken.tflite", weights, sets=RATE, out=out, freeze=True, run=False)
    assert len(planned) == len(set(planned)) == 2  # the graft, and what comes of it
