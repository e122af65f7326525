"""A result that is right, but that the runtime's default delegate dies of (TFR031)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

import tflrepair
from tflrepair.errors import RefusedError
from tflrepair.execution.result import Symptom
from tflrepair.report import fix_text
from tflrepair.report.style import Style

pytestmark = pytest.mark.runs


def added_to_itself(path: Path) -> Path:
    build = Build()
    main = build.sub("main", "run")
    value, out = main.read(main.handle("v")), main.tensor()
    main.op("ADD", [value, value], [out], fb.AddOptionsT())
    main.output(out)
    path.write_bytes(build.bytes())
    return path


def test_it_is_written_and_the_crash_is_reported(tmp_path: Path) -> None:
    model, out = added_to_itself(tmp_path / "model.tflite"), tmp_path / "out.tflite"
    result = tflrepair.fix(model, out=out, sets={"v": 1.0})
    assert out.exists()
    assert result.run is not None
    crashed = {r.delegate for r in result.run.runs if Symptom.CRASH in [f.code for f in r.findings]}
    if crashed:  # a runtime in which it is mended would answer
        assert crashed == {"default"}
        assert result.problems
        text = fix_text.render(result, Style(), dry_run=False)
        assert "No other problem found." in text
        assert "Nothing wrong found." not in text
    assert result.after is not None
    assert "TFR031" in [f.code for f in result.after.findings]


def test_a_crash_that_nothing_explains_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tflrepair.commands.fix import acceptance

    monkeypatch.setattr(acceptance, "FATAL", "TFR999")
    model, out = added_to_itself(tmp_path / "model.tflite"), tmp_path / "out.tflite"
    with pytest.raises(RefusedError, match="SIGSEGV"):
        tflrepair.fix(model, out=out, sets={"v": 1.0})
    assert not out.exists()
