"""Errors that made-up inputs may cause are no verdict on the model; others are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from build import Build
from contract import hold_item

from tflrepair.execution.verify import verify
from tflrepair.report.runs import verify_json
from tflrepair.report.runs.verify_text import lines

pytestmark = pytest.mark.runs


def reshape(tmp_path: Path, size: int) -> Path:
    """RESHAPE of four floats; the shape is an input, or with ``size`` the constant [``size``]."""
    build = Build()
    main = build.sub("main", "infer")
    x = main.input(shape=(4,))
    if size:
        shape = main.tensor("INT32", (1,), np.array([size], "<i4").tobytes())
    else:
        shape = main.input("INT32", (2,))
    y = main.tensor(shape=(size,) if size else (4, 1))
    main.op("RESHAPE", [x, shape], [y])
    main.output(y)
    path = tmp_path / f"reshape{size}.tflite"
    path.write_bytes(build.bytes())
    return path


def test_made_up_values_may_be_the_reason(tmp_path: Path) -> None:
    path = reshape(tmp_path, 0)
    report = verify(path, runtimes=["litert"])
    assert {run.status for run in report.runs} == {"not-run"} and report.exit_code == 2
    (row,) = report.unchecked
    assert "made-up inputs" in row.reason and "--inputs" in row.hint
    assert f"to check: tflrepair verify {path} --inputs IN.npz" in "\n".join(lines(report))
    assert hold_item("verify", verify_json.item(report))["unchecked"][0]["signature"] == "infer"


def test_with_inputs_that_fit_it_runs(tmp_path: Path) -> None:
    path = reshape(tmp_path, 0)
    names = [port for port, _ in _inputs(path)]
    given = dict(zip(names, (np.ones(4, np.float32), np.array([4, 1], np.int32)), strict=True))
    report = verify(path, runtimes=["litert"], inputs=given)
    assert report.ok and report.checked == ("infer",) and report.unchecked == ()


def test_with_inputs_that_do_not_fit_it_is_a_problem(tmp_path: Path) -> None:
    path = reshape(tmp_path, 0)
    names = [port for port, _ in _inputs(path)]
    given = dict(zip(names, (np.ones(4, np.float32), np.array([4, 2], np.int32)), strict=True))
    assert verify(path, runtimes=["litert"], inputs=given).exit_code == 1


def test_what_is_wrong_before_anything_runs_is_the_models_own(tmp_path: Path) -> None:
    report = verify(reshape(tmp_path, 5), runtimes=["litert"])
    assert report.exit_code == 1 and report.unchecked == ()


def _inputs(path: Path) -> tuple[tuple[str, int], ...]:
    from tflrepair import load

    return load(path).signatures["infer"].inputs
