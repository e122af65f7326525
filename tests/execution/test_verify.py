"""Verification of real files under the real runtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build import save_npz
from conftest import made
from contract import hold_item
from faults import amplify

from tflrepair.errors import BadFileError, UserError
from tflrepair.execution import runner
from tflrepair.execution.result import Run, VerifyReport
from tflrepair.execution.verify import verify
from tflrepair.report.runs import verify_json
from tflrepair.report.runs.verify_text import lines

pytest.importorskip("ai_edge_litert", reason="runs models")

X = np.array([[1, 2, 3, 4]], np.float32)


@pytest.fixture(scope="module")
def odd() -> Path:
    return made("odd")


def check(path: Path, **options: Any) -> VerifyReport:
    report = verify(path, runtimes=["litert"], **options)
    hold_item("verify", verify_json.item(report))
    assert lines(report)[-1]
    return report


def run_of(report: VerifyReport, signature: str, delegate: str = "default") -> Run:
    (run,) = [r for r in report.runs if (r.signature, r.delegate) == (signature, delegate)]
    return run


def kinds(run: Run) -> set[str]:
    return {finding.code for finding in run.findings}


@pytest.mark.runs
@pytest.mark.parametrize("name", ["healthy", "f16", "flow", "table"])
def test_healthy_files_pass(data: Path, name: str) -> None:
    report = check(data / f"{name}.tflite")
    assert report.ok and report.exit_code == 0
    assert all(not run.findings for run in report.runs)
    assert any(c.to == "repeat" for run in report.runs for c in run.comparisons)


@pytest.mark.runs
def test_partial_file_fails_in_both_modes(data: Path) -> None:
    report = check(data / "partial.tflite")
    assert report.exit_code == 1
    assert kinds(run_of(report, "infer")) & {"not-finite", "not-repeatable"}
    assert kinds(run_of(report, "infer", "none")) == {"unset-variable"}
    assert "read_variable.cc" in run_of(report, "infer", "none").findings[0].message


@pytest.mark.runs
def test_order_dependent_file_fails_where_it_reads_first(data: Path) -> None:
    report = check(data / "order.tflite")
    assert run_of(report, "infer").status == run_of(report, "infer", "none").status == "problem"
    assert run_of(report, "load").status == "ok"


@pytest.mark.runs
def test_another_model(data: Path) -> None:
    report = check(data / "healthy.tflite", against=data / "f16.tflite", rtol=1e-2, atol=1e-2)
    assert report.ok
    exact = check(data / "healthy.tflite", against=data / "f16.tflite", rtol=0, atol=0)
    assert "models-differ" in kinds(run_of(exact, "infer"))
    for whole, alike in ((1e-2, True), (1e-6, False)):
        options = {"against": data / "f16.tflite", "signature": "infer", "whole": whole}
        assert check(data / "healthy.tflite", rtol=0, atol=1e-6, **options).ok == alike
    same = check(data / "healthy.tflite", against=data / "healthy.tflite", signature="infer")
    compared = [c for c in run_of(same, "infer").comparisons if c.to == "against"]
    assert same.ok and {c.max_abs for c in compared} == {0.0}


@pytest.mark.runs
def test_another_model_that_does_not_fit(data: Path) -> None:
    report = check(data / "healthy.tflite", against=data / "partial.tflite")
    assert report.exit_code == 1
    assert "no signature 'train'" in run_of(report, "train").findings[0].message
    broken = check(data / "flow.tflite", against=data / "order.tflite")
    assert kinds(run_of(broken, "infer", "none")) == {"models-differ"}


def expectation(x: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(7)  # as the fixture's maker draws them
    w, b = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (3,))
    return np.asarray(x @ w + b, np.float32)


@pytest.mark.runs
def test_expectation_is_held(data: Path, tmp_path: Path) -> None:
    wanted = expectation(X)
    save_npz(tmp_path / "in.npz", {"infer/x": X})
    np.savez(tmp_path / "out.npz", output=wanted)
    report = check(data / "healthy.tflite", inputs=tmp_path / "in.npz", expect=tmp_path / "out.npz")
    assert report.ok
    assert run_of(report, "train").status == "not-run"
    assert "y: float32 [1, 3]" in run_of(report, "train").reason
    wrong = check(data / "healthy.tflite", inputs={"x": X}, expect={"output": wanted[:, ::-1]})
    assert kinds(run_of(wrong, "infer")) == {"not-expected"}
    compared = [c for c in run_of(wrong, "infer").comparisons if c.to == "expect"]
    assert compared[0].max_abs == pytest.approx(float(np.abs(wanted - wanted[:, ::-1]).max()))


@pytest.mark.runs
def test_nan_is_never_expected(data: Path) -> None:
    nan = np.full((1, 3), np.nan, np.float32)
    x = np.full((1, 4), np.nan, np.float32)
    report = check(data / "healthy.tflite", inputs={"x": x}, expect={"output": nan})
    assert kinds(run_of(report, "infer")) == {"not-finite", "not-expected"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signature": "predict"}, "no signature 'predict'.*infer, train"),
        ({"expect": {"output": X}}, "give --inputs"),
        ({"inputs": {"z": X}}, "z.*do not fit any signature.*x: float32"),
        ({"inputs": {}}, "nothing.*do not fit any signature"),
        ({"inputs": {"x": X[0]}}, r"shape \[4\].*x: float32 \[1, 4\]"),
        ({"inputs": {"x": np.ones((2, 4), np.float32)}}, r"shape \[2, 4\]"),
        ({"inputs": {"x": X.astype(complex)}}, "complex128"),
        ({"inputs": {"x": X.astype(str)}}, "type <U"),
        ({"inputs": {"x": X}, "expect": {"outputs": X}}, "outputs.*fit any signature.*output: "),
        ({"inputs": {"x": X}, "expect": {}}, "nothing.*do not fit any signature"),
        ({"rtol": -1}, "negative"), ({"rtol": float("nan")}, "finite"),
        ({"atol": float("inf")}, "finite"), ({"timeout": float("nan")}, "positive"),
    ],
)  # fmt: skip
def test_calls_that_do_not_fit(data: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        verify(data / "healthy.tflite", runtimes=["litert"], **options)
    assert re.search(message, str(caught.value), re.DOTALL)


@pytest.mark.runs
def test_expectation_of_another_shape_is_a_problem(data: Path) -> None:
    wanted = np.zeros((1, 4), np.float32)
    report = check(data / "healthy.tflite", inputs={"x": X}, expect={"output": wanted})
    assert "shape [1, 3] against [1, 4]" in run_of(report, "infer").findings[0].message


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"text", b"\x93NUMPY\x01"])
def test_inputs_file_that_is_none(data: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.npz").write_bytes(content)
    with pytest.raises(BadFileError, match="inputs file"):
        verify(data / "healthy.tflite", inputs=tmp_path / "in.npz")


def test_pickled_inputs_are_refused(data: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=np.array([{}], dtype=object))
    with pytest.raises(BadFileError, match="inputs file"):
        verify(data / "healthy.tflite", inputs=tmp_path / "in.npz")
    np.save(tmp_path / "in.npy", X)
    with pytest.raises(BadFileError, match="single array"):
        verify(data / "healthy.tflite", inputs=tmp_path / "in.npy")


@pytest.mark.tf
def test_random_operators_are_noted(odd: Path) -> None:
    sample = run_of(check(odd / "odd.tflite", signature="sample"), "sample")
    assert sample.status == "ok" and kinds(sample) == {"note"}
    assert "draws random numbers" in sample.findings[0].message
    assert not run_of(check(odd / "odd.tflite", signature="seeded"), "seeded").findings


@pytest.mark.tf
def test_made_up_inputs_that_do_not_suit_are_noted(odd: Path) -> None:
    log = run_of(check(odd / "odd.tflite", signature="log"), "log")
    assert log.status == "ok" and [(f.code, f.inputs) for f in log.findings] == [("note", "zeros")]
    lookup = run_of(check(odd / "odd.tflite", signature="lookup"), "lookup")
    assert [(f.code, f.inputs) for f in lookup.findings] == [("note", "random")]
    given = check(odd / "odd.tflite", signature="log", inputs={"x": np.zeros((5, 3))})
    assert kinds(run_of(given, "log")) == {"not-finite"}


@pytest.mark.tf
def test_strings_in_and_out(odd: Path) -> None:
    number = run_of(check(odd / "odd.tflite", signature="number"), "number")
    assert number.status == "not-run" and "string input (word)" in number.reason
    right = {"inputs": {"word": np.array(["b", "z"])}, "expect": {"out": np.array([20, -1])}}
    assert check(odd / "odd.tflite", signature="number", **right).ok
    right = {"inputs": {"number": np.array([1, 7])}, "expect": {"out": np.array(["one", "?"])}}
    assert check(odd / "odd.tflite", signature="word", **right).ok
    wrong = {**right, "expect": {"out": np.array(["one", "two"])}}
    run = run_of(check(odd / "odd.tflite", signature="word", **wrong), "word")
    assert "1 of 2 values differ" in run.findings[0].message


@pytest.mark.tf
def test_flex_behind_a_branch_is_never_passed(odd: Path) -> None:
    report = check(odd / "odd.tflite", signature="flex")
    assert report.exit_code == 2 and not report.ok
    assert {run.status for run in report.runs} == {"not-run"}
    assert "FlexMatrixInverse" in report.runs[0].reason


@pytest.mark.tf
def test_endless_loop_is_ended(odd: Path) -> None:
    report = check(odd / "odd.tflite", signature="endless", timeout=1)
    assert kinds(run_of(report, "endless")) == {"timeout"}
    assert "no answer within 1 s" in run_of(report, "endless").findings[0].message


@pytest.mark.tf
def test_signature_without_inputs(odd: Path) -> None:
    report = check(odd / "odd.tflite", signature="step", inputs=None)
    assert report.ok


@pytest.mark.tf
def test_model_without_signatures(odd: Path) -> None:
    report = check(odd / "unsigned.tflite", against=odd / "unsigned.tflite")
    assert report.ok and report.runs[0].signature == "subgraph 0"
    name = report.runs[0].comparisons[0].output
    x = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    source = check(odd / "unsigned.tflite", inputs={"x": x}, expect={name: x * 2})
    assert source.ok


@pytest.mark.tf
def test_other_weights_are_seen(data: Path, odd: Path) -> None:
    report = check(data / "healthy.tflite", against=odd / "scaled.tflite", signature="infer")
    run = run_of(report, "infer")
    assert kinds(run) == {"models-differ"}
    with np.load(odd / "io.npz") as io:
        given = check(data / "healthy.tflite", inputs=odd / "io.npz", expect=odd / "io.npz")
        assert io["output"].std() > 0.1
    assert given.ok


@pytest.mark.tf
@pytest.mark.slow
def test_tensorflow_agrees(data: Path) -> None:
    healthy = verify(data / "healthy.tflite", runtimes=["tf.lite"])
    assert healthy.ok and len(healthy.runs) == 4
    assert verify(data / "partial.tflite", runtimes=["tf.lite"]).exit_code == 1


@pytest.mark.tf
@pytest.mark.slow
def test_reported_model(reported: Path) -> None:
    report = check(reported / "model.tflite")
    assert report.exit_code == 1
    assert "not-finite" in kinds(run_of(report, "infer"))
    assert "read_variable.cc:67" in run_of(report, "infer", "none").findings[0].message
    for name in ("train", "save", "restore"):
        assert run_of(report, name).status == "not-run"
        assert "Flex" in run_of(report, name).reason


@pytest.mark.runs
def test_signatures_that_differ_in_their_keys_alone_are_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are told one by one; given inputs may tell them apart."""
    path = tmp_path / "m.tflite"
    path.write_bytes(amplify.entries_and_operators(signatures=20, operators=3))
    tasks: list[int] = []
    running = runner.run

    def counted(runtime: Any, rows: Any, **options: Any) -> Any:
        tasks.append(len(rows))
        return running(runtime, rows, **options)

    monkeypatch.setattr(runner, "run", counted)
    report = verify(path, runtimes=["litert"])
    assert len(report.runs) == 40 and report.ok and tasks == [4, 4]
    tasks.clear()
    one, two = np.ones(2, np.float32), np.full(2, 2, np.float32)
    given = {"in0": one, "key7/in0": two}
    wanted = {"out0": -one, "key7/out0": -two}
    report = verify(path, runtimes=["litert"], inputs=given, expect=wanted)
    assert len(report.runs) == 40 and report.ok and tasks == [4, 4]
