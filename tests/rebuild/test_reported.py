"""The reported model: MobileNetV2 and a head that trains with Flex operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import Session, rows

from rebuild.common import values_of
from rebuild.single import load_emitted
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.rebuild.origins.saved_model import rebuild_from_saved_model
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.reference import run_reference

pytestmark = [pytest.mark.tf, pytest.mark.slow]
STEPS = 10


@pytest.fixture(scope="module")
def model(reported: Path) -> Model:
    return load(reported / "model.tflite")


@pytest.fixture(scope="module")
def values(reported: Path, model: Model) -> dict[ResourceId, Any]:
    return values_of(model, reported / "values.npz")


@pytest.fixture(scope="module")
def rebuilt(model: Model, values: dict[ResourceId, Any]) -> bytes:
    return rebuild_from_tflite(model, values)


@pytest.fixture(scope="module")
def batch(reported: Path) -> dict[str, Any]:
    images = np.load(reported / "io.npz")["x"]
    labels = np.eye(62, dtype=np.float32)[np.arange(len(images)) * 7]
    return {"x": images, "y": labels}


@pytest.fixture(scope="module")
def eager(reported: Path, batch: dict[str, Any]) -> dict[str, Any]:
    """Ten training steps of the original module, and its answers afterwards."""
    from makers.reported import TransferLearningModel

    module = TransferLearningModel(str(reported / "new_model.weights.h5"))
    steps = [module.train(**batch) for _ in range(STEPS)]
    first = {name: value.numpy() for name, value in steps[0].items()}
    after = module.infer(batch["x"])["output"].numpy()
    return {"losses": [float(s["loss"]) for s in steps], "first": first, "after": after}


def test_reference_trains_like_eager(
    model: Model,
    values: dict[ResourceId, Any],
    batch: dict[str, Any],
    eager: dict[str, Any],
    reported: Path,
) -> None:
    ask = {"x": batch["x"]}
    calls = [
        ("infer", ask),
        *[("train", batch)] * STEPS,
        ("infer", ask),
        ("serving_default", ask),
    ]
    before, *steps, after, served = run_reference(model, values, calls)
    expected = np.load(reported / "io.npz")["output"]
    np.testing.assert_allclose(before["output"], expected, atol=1e-5)
    losses = [float(step["loss"]) for step in steps]
    assert losses[-1] < losses[0] - 0.01
    np.testing.assert_allclose(losses, eager["losses"], atol=1e-4)
    for name, value in eager["first"].items():
        np.testing.assert_allclose(steps[0][name], value, atol=1e-4)
    np.testing.assert_allclose(after["output"], eager["after"], atol=1e-4)
    assert np.abs(after["output"] - before["output"]).max() > 1e-3
    np.testing.assert_array_equal(served["output"], after["output"])


def test_rebuilt_file_infers_like_eager(rebuilt: bytes, reported: Path) -> None:
    io = np.load(reported / "io.npz")
    found = from_bytes(rebuilt)
    assert {s.key for s in found.signatures} == {
        "infer", "restore", "save", "serving_default", "train"
    }  # fmt: skip
    x = found.subgraphs[0].inputs[0]
    assert found.subgraphs[0].tensor(x).shape == (-1, 224, 224, 3)
    assert all(v.status == VariableStatus.INITIALIZED for v in analyse(found).variables)
    np.testing.assert_allclose(rows(Session(rebuilt), io["x"]), io["output"], atol=1e-5)


def test_saved_model_gives_the_same(model: Model, rebuilt: bytes, reported: Path) -> None:
    """Operator for operator; a variable that is read twice may be read once."""
    other = rebuild_from_saved_model(model, reported / "saved_model", {})
    mine, theirs = ({s.name: s for s in from_bytes(d).subgraphs} for d in (rebuilt, other))
    for name in ("infer", "serving_default", "restore", "save", "train"):
        ours, expected = operators(mine[name]), operators(theirs[name])
        assert ours.pop("READ_VARIABLE", 0) <= expected.pop("READ_VARIABLE", 0)
        assert ours == expected
    x = np.load(reported / "io.npz")["x"][:2]
    np.testing.assert_allclose(rows(Session(rebuilt), x), rows(Session(other), x), atol=1e-5)


def operators(subgraph: Any) -> dict[str, int]:
    names = [operator.name for operator in subgraph.operators]
    return {name: names.count(name) for name in sorted(set(names))}


def test_emitted_python_trains_alike(
    model: Model,
    values: dict[ResourceId, Any],
    batch: dict[str, Any],
    eager: dict[str, Any],
    tmp_path: Path,
) -> None:
    module = load_emitted(model, values, tmp_path / "emitted.py").ModelModule()
    losses = [float(module.train(batch["x"], batch["y"])["loss"]) for _ in range(3)]
    np.testing.assert_allclose(losses, eager["losses"][:3], atol=1e-4)
