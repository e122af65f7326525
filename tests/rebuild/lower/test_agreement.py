"""Training without Flex is held against TensorFlow's kernels before it is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from makers.common import convert

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.graph.model import from_bytes, load
from tflrepair.rebuild.lower import nearness, registry
from tflrepair.rebuild.lower.lower_pass import lower_and_compare
from tflrepair.rebuild.requests import NoFlex

pytestmark = [pytest.mark.tf, pytest.mark.runs]
AGREES = "train agrees with TensorFlow's kernels"


class Net(tf.Module):
    """Dense, ReLU, Dense, with a step of its own; ``noise`` makes the step draw random numbers."""

    def __init__(self, noise: bool = False) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.a = tf.Variable(rng.normal(size=(4, 6)).astype("float32"), name="a")
        self.b = tf.Variable(rng.normal(size=(6, 3)).astype("float32"), name="b")
        self.noise = noise

    @tf.function(input_signature=[tf.TensorSpec([None, 4], name="x")])
    def infer(self, x: Any) -> Any:
        return {"output": tf.nn.relu(x @ self.a) @ self.b}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 4], name="x"), tf.TensorSpec([None, 3], name="y")]
    )
    def train(self, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(x @ self.a)
            hidden = tf.nn.dropout(hidden, 0.5) if self.noise else hidden
            losses = tf.nn.softmax_cross_entropy_with_logits(y, hidden @ self.b)
            loss = tf.reduce_mean(losses)
        for variable, slope in zip(
            (self.a, self.b), tape.gradient(loss, (self.a, self.b)), strict=True
        ):
            variable.assign_sub(0.1 * slope)
        return {"loss": loss, "size": tf.reduce_mean(tf.math.erf(x @ self.a))}


def file_of(folder: Path, module: Net) -> Path:
    functions = {k: getattr(module, k).get_concrete_function() for k in ("infer", "train")}
    tf.saved_model.save(module, str(folder / "saved"), signatures=functions)
    path = folder / "model.tflite"
    path.write_bytes(convert(folder / "saved", flex=True))
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return file_of(tmp_path_factory.mktemp("plain"), Net())


def lowered(path: Path, work: Path, **options: Any) -> list[str]:
    return lower_and_compare(AnalysisContext(load(path)), NoFlex(**options), work)[1]


def test_right_ones_agree(plain: Path, tmp_path: Path) -> None:
    notes = lowered(plain, tmp_path)
    assert f"{AGREES}, in 4 variables and outputs" in notes  # a, b, loss, size
    assert not any("infer" in note for note in notes)


def wrong_by(factor: float) -> Callable[..., Any]:
    """A gradient of ReLU that is off by a few per cent, and only where it is not 0."""

    def relu_grad(gradients: Any, features: Any) -> Any:
        return tf.where(features > 0, gradients * factor, tf.zeros_like(gradients))

    return relu_grad


def wrong_erf(x: Any) -> Any:
    """Near it, but not it."""
    return tf.tanh(x)


@pytest.mark.parametrize(
    ("name", "wrong", "what"),
    [
        ("ReluGrad", wrong_by(1.05), "variable a differs by"),
        ("ReluGrad", wrong_by(-1.0), "variable a differs by"),
        ("Erf", wrong_erf, "output size differs by"),
    ],
)
def test_a_wrong_lowering_is_refused(
    plain: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wrong: Callable[..., Any],
    what: str,
) -> None:
    assert name in registry.lowerings()
    monkeypatch.setitem(registry.lowerings(), name, wrong)
    with pytest.raises(RefusedError, match=what) as caught:
        lowered(plain, tmp_path)
    assert "--keep-flex train" in str(caught.value.hint)


def test_random_steps_are_left_out_with_a_word(tmp_path: Path) -> None:
    notes = lowered(file_of(tmp_path, Net(noise=True)), tmp_path)
    assert "train was not compared with TensorFlow's kernels: it draws random numbers" in notes


def test_a_fixed_batch_is_compared(plain: Path, tmp_path: Path) -> None:
    assert any(note.startswith(AGREES) for note in lowered(plain, tmp_path, batch=2))


def test_kept_signatures_are_not_compared(plain: Path, tmp_path: Path) -> None:
    assert not any("kernels" in note for note in lowered(plain, tmp_path, keep=("train",)))


def test_constants_stored_in_half_do_not_widen_what_is_allowed(tmp_path: Path) -> None:
    """Weights in float16 are widened before anything is computed; activations are not."""

    def model(kind: Any) -> Any:
        weights = tf.constant(np.ones((4, 3)), tf.float16)

        @tf.function(input_signature=[tf.TensorSpec([1, 4], name="x")])
        def run(x: Any) -> Any:
            y = tf.cast(x, kind) @ tf.cast(weights, kind)
            return {"y": tf.cast(tf.exp(y) * 1.5, tf.float32)}

        holder = tf.Module()
        holder.run = run
        folder = tmp_path / kind.name
        tf.saved_model.save(holder, str(folder), signatures={"f": run.get_concrete_function()})
        return from_bytes(convert(folder, flex=True))

    assert nearness.unit_of(model(tf.float32), [0]) == nearness.FLOAT32
    assert nearness.unit_of(model(tf.float16), [0]) == nearness.UNITS["float16"]


@pytest.mark.parametrize(
    ("want", "near", "told"),
    [([1.0, np.nan], [1.0, 2.0], False), ([1.0, 2.0], [1.0, np.inf], False), ([1.0], [1.0], True)],
)
def test_what_is_not_finite_says_nothing(want: list[float], near: list[float], told: bool) -> None:
    first, second = (np.array(values, np.float32) for values in (want, near))
    assert nearness.tells(first, second) == told
    far = np.full(len(want), 9.0, np.float32)
    assert bool(nearness.excess(far, first, second, None, nearness.FLOAT32)) == told


@pytest.mark.parametrize(("got", "same"), [(2.69e-17, True), (1e-15, False), (1e-9, False)])
def test_the_square_of_noise_is_noise(got: float, same: bool) -> None:
    """The second moment of a bias ahead of batch normalization, whose gradient is 0.

    Kernels that sum in another order gave 2.69e-17 for 5.55e-18, which moved inputs change by a
    fifth.
    """
    want, near, start = np.array([5.55e-18]), np.array([4.38e-18]), np.zeros(1)
    reason = nearness.excess(np.array([got]), want, near, start, nearness.FLOAT32)
    assert (reason == "") == same
