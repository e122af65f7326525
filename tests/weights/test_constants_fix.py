"""A broken model fixed with the weights of its .tflite for inference, and run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import made
from running import Session

import tflrepair
from tflrepair.errors import RefusedError
from weights.cases import DATA

PAIR = DATA / "constants"


@pytest.mark.runs
def test_fixed_with_the_constants_of_a_model_for_inference(tmp_path: Path) -> None:
    out = tmp_path / "fixed.tflite"
    result = tflrepair.fix(PAIR / "model.tflite", [PAIR / "source.tflite"], out=out)
    assert result.after is not None
    assert not result.after.findings
    wanted = np.load(PAIR / "io.npz")
    session = Session(out)
    answer = session.run("infer", x=wanted["x"])["y"]
    np.testing.assert_allclose(answer, wanted["y"], rtol=1e-5, atol=1e-5)
    losses = [float(session.run("train", x=wanted["x"])["loss"]) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.tf
@pytest.mark.parametrize("network", ["conv_bn", "conv_times", "scaled_kernel", "linear_row"])
def test_refused_where_something_was_folded(tmp_path: Path, network: str) -> None:
    here, out = made("constants") / network, tmp_path / "fixed.tflite"
    with pytest.raises(RefusedError) as caught:
        tflrepair.fix(here / "model.tflite", [here / "source.tflite"], out=out)
    assert "--map FILE" in str(caught.value)
    assert not out.exists()


@pytest.mark.tf
def test_the_map_leaves_open_what_was_refused(tmp_path: Path) -> None:
    """So that giving it back as it was written decides nothing."""
    here, path = made("constants") / "conv_bn", tmp_path / "map.json"
    model, weights = here / "model.tflite", [here / "source.tflite"]
    tflrepair.fix(model, weights, dry_run=True, map_out=path)
    mapping = json.loads(path.read_text(encoding="utf-8"))
    assert {bool(value) for value in mapping.values()} == {True, False}
    with pytest.raises(RefusedError, match="follows it"):
        tflrepair.fix(model, weights, mapping=mapping, out=tmp_path / "fixed.tflite")
