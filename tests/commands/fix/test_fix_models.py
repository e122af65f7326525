"""fix on the models that the real converter broke."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from running import Session, rows
from samples import RATE

import tflrepair
from tflrepair import FixResult


@pytest.mark.tf
def test_the_reported_model(reported: Path, fixed: FixResult) -> None:
    """282 variables: 268 from the weights of another instance, 14 of the optimizer."""
    model = reported / "model.tflite"
    scanned = tflrepair.scan(model)
    assert len(scanned.analysis.variables) == 282
    assert {v.status for v in scanned.analysis.variables} == {"uninitialized"}
    assert not scanned.ok
    assert fixed.table is not None
    assert fixed.out is not None
    origins = [row.origin for row in fixed.table.rows]
    assert (origins.count("weight"), origins.count("initial"), origins.count("set")) == (268, 13, 1)
    assert Path(fixed.out).read_bytes().endswith(model.read_bytes())

    truth = np.load(reported / "values.npz")
    result = tflrepair.scan(fixed.out)
    assert result.ok
    for variable in result.analysis.variables:
        assert variable.initial is not None
        data = bytes(result.model.buffer_bytes(variable.initial.buffer))
        path = variable.name.removeprefix("adam/") if variable.name not in truth else variable.name
        assert data == truth[path].tobytes(), variable.name


@pytest.mark.tf
@pytest.mark.parametrize("runtime", ["litert", "tf.lite"])
def test_the_reported_model_answers_as_in_python(
    reported: Path, fixed: FixResult, runtime: str
) -> None:
    known = dict(np.load(reported / "io.npz"))
    # the answers tell images and classes apart, or agreement would prove nothing
    assert known["output"].std(axis=0).max() > 1e-3
    assert known["output"].std(axis=1).min() > 1e-3
    report = tflrepair.verify(
        str(fixed.out),
        signature="infer",
        inputs={"x": known["x"]},
        expect={"output": known["output"]},
        rtol=0,
        atol=1e-5,
        runtimes=[runtime],
    )
    assert report.ok, report.unchecked


@pytest.mark.tf
def test_the_small_model_trains_as_in_python(small: Path, tmp_path: Path) -> None:
    """Ten steps under LiteRT lose what ten eager steps lose, and `infer` changes with them."""
    out = tmp_path / "fixed.tflite"
    weights = [small / "classifier.weights.h5"]
    tflrepair.fix(small / "model.tflite", weights, sets=RATE, out=out)
    known = np.load(small / "training.npz")
    session = Session(out)
    before = rows(session, known["x"])
    losses = [float(session.run("train", x=known["x"], y=known["y"])["loss"]) for _ in range(10)]
    np.testing.assert_allclose(losses, known["loss"], rtol=1e-5)
    after = rows(session, known["x"])
    np.testing.assert_allclose(after, known["output"], atol=1e-5)
    assert np.abs(after - before).max() > 1e-3
