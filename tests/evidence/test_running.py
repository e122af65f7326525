"""`--check` where the model computes in 8 bits, has any signature, or has very many readings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from weights.cases import DATA

import tflrepair
from tflrepair.errors import RefusedError, UserError
from tflrepair.weights import MatchTable

pytestmark = pytest.mark.runs
INT8, TWINS = DATA / "int8", DATA / "twins"


def is_right(case: Path, table: MatchTable | None) -> bool:
    wanted = {name.replace("|", "/"): a for name, a in np.load(case / "truth.npz").items()}
    rows = table.rows if table else ()
    return bool(rows) and all(
        np.array_equal(row.value(), wanted[row.target.shared_name]) for row in rows
    )


def written(folder: Path, case: Path, inputs: tuple[str, ...], **more: Any) -> tuple[Path, Path]:
    both = {**np.load(case / "io.npz"), **more}
    np.savez(folder / "in.npz", **{k: v for k, v in both.items() if k in inputs})
    np.savez(folder / "out.npz", **{k: v for k, v in both.items() if k not in inputs})
    return folder / "in.npz", folder / "out.npz"


@pytest.mark.parametrize("name", ["model.tflite", "whole.tflite"])  # 8 bits inside; everywhere
def test_a_quantized_model_is_decided_by_the_nearest(name: str, tmp_path: Path) -> None:
    model, donor, out = INT8 / name, INT8 / "donor.weights.h5", tmp_path / "out.tflite"
    with pytest.raises(RefusedError, match=r"--check in\.npz"):
        tflrepair.fix(model, [donor], out=out)
    check = written(tmp_path, INT8, ("x",))
    result = tflrepair.fix(model, [donor], out=out, check=check)
    assert is_right(INT8, result.table)
    assert any("is quantized: " in note for note in result.notes)
    assert all(
        "the nearest of" in row.reason for row in (result.table.rows if result.table else ())
    )


def test_a_quantized_model_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    y = np.load(INT8 / "io.npz")["y"]
    check = written(tmp_path, INT8, ("x",), y=y * 1.5)
    out = tmp_path / "out.tflite"
    with pytest.raises(RefusedError, match="none gives the expected outputs"):
        tflrepair.fix(INT8 / "model.tflite", [INT8 / "donor.weights.h5"], out=out, check=check)
    assert not out.exists()


def test_two_readings_that_answer_nearly_alike_are_refused(tmp_path: Path) -> None:
    """Inputs that the body turns to zero leave the difference of the two biases alone."""
    arrays = {name.replace("|", "/"): a for name, a in np.load(INT8 / "truth.npz").items()}
    layers = sorted({name.split("/")[0] for name in arrays})
    near = {name: a + (1e-5 if layers[1] in name else 0) for name, a in arrays.items()}
    for role in ("kernel", "bias"):
        near[f"{layers[1]}/{role}"] = near[f"{layers[0]}/{role}"] + np.float32(1e-3)
    named = {name.replace("dense_", "dense_4"): a for name, a in near.items()}
    x = np.load(INT8 / "io.npz")["x"]
    known = tflrepair.fix(INT8 / "model.tflite", [near], out=tmp_path / "k.tflite", by_name=True)
    from running import Session

    y = np.asarray(Session(Path(str(known.out))).run("infer", x=x)["y"])
    check = written(tmp_path, INT8, ("x",), y=y + np.float32(2e-4))
    with pytest.raises(RefusedError, match=r"nearly the same outputs|none gives"):
        tflrepair.fix(INT8 / "model.tflite", [named], out=tmp_path / "out.tflite", check=check)


def test_floats_for_inputs_and_outputs_of_8_bits() -> None:
    both = np.load(INT8 / "plain.npz")
    (name,) = tflrepair.scan(INT8 / "plain.tflite").model.signatures[0].inputs
    given, wanted = {name[0]: both["x"]}, {"output_0": both["y"]}
    model = INT8 / "plain.tflite"
    loose = tflrepair.verify(model, inputs=given, expect=wanted, quantized=0.1)
    assert loose.ok
    assert 0 < max(c.far or 0 for run in loose.runs for c in run.comparisons) < 0.1
    assert not tflrepair.verify(model, inputs=given, expect=wanted).ok
    other = {"output_0": both["y"][:, ::-1]}
    assert not tflrepair.verify(model, inputs=given, expect=other, quantized=0.1).ok


def test_an_input_of_the_model_that_is_no_number_is_refused() -> None:
    with pytest.raises(UserError, match="do not fit any signature"):
        tflrepair.verify(INT8 / "plain.tflite", inputs={"nothing": np.zeros((1, 6), "float32")})


class SavedModel:
    """Stands for the SavedModel that was converted: it answers as that did."""

    def __init__(self, out: Path) -> None:
        known = {name.replace("|", "/"): a for name, a in np.load(TWINS / "truth.npz").items()}
        fixed = tflrepair.fix(TWINS / "model.tflite", [known], out=out, by_name=True)
        self.path = Path(str(fixed.out))
        self.signatures = {"serving_default": self.answer}

    def answer(self, **given: Any) -> Any:
        from running import Session

        arrays = {name: np.asarray(value) for name, value in given.items()}
        return Session(self.path).run("serving_default", **arrays)


@pytest.mark.tf
@pytest.mark.parametrize("as_tuple", [False, True])
def test_more_readings_than_are_all_run_are_decided_group_by_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_tuple: bool
) -> None:
    """256 readings, two inputs, two outputs without names, a signature that is no method."""
    model, donor, out = TWINS / "model.tflite", TWINS / "donor.npz", tmp_path / "out.tflite"
    with pytest.raises(RefusedError) as refusal:
        tflrepair.fix(model, [donor], out=out)
    lines = str(refusal.value).split("\n")
    start = next(n for n, line in enumerate(lines) if "import numpy" in line)
    end = next(n for n, line in enumerate(lines) if "then add: --check in.npz out.npz" in line)
    code = "\n".join(line.strip() for line in lines[start:end])
    monkeypatch.chdir(tmp_path)
    answering = SavedModel(tmp_path / "known.tflite")
    if as_tuple:
        whole = answering.answer
        answering.signatures["serving_default"] = lambda **x: tuple(
            value for _, value in sorted(whole(**x).items())
        )
    exec(code, {"model": answering})
    result = tflrepair.fix(model, [donor], out=out, check=("in.npz", "out.npz"))
    assert is_right(TWINS, result.table)
    assert result.table is not None
    (why,) = {row.reason.split(": ")[1] for row in result.table.rows}
    found = re.fullmatch(
        r"the only one of (\d+) possible matches that gives the expected outputs", why
    )
    assert found is not None
    assert int(found[1]) < 64  # of 256; how many depends on the random inputs
