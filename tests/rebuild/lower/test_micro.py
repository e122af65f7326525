"""A training step that TFLite Micro takes; tests/micro runs the file there, without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from conftest import TESTS

import tflrepair
from tflrepair.graph.model import Model, from_bytes, load

pytestmark = [pytest.mark.tf, pytest.mark.slow]
FILE = TESTS / "micro" / "training.tflite"
BATCH = 4


class Small(tf.Module):
    """Two layers and plain SGD: no int64 count of steps, which has no kernel there."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.w = tf.Variable(rng.normal(0, 0.5, (6, 8)).astype(np.float32), name="w")
        self.b = tf.Variable(tf.zeros(8), name="b")
        self.v = tf.Variable(rng.normal(0, 0.5, (8, 3)).astype(np.float32), name="v")

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, n], tf.float32, name=k) for k, n in (("x", 6), ("y", 3))
        ]
    )
    def train(self, x: Any, y: Any) -> Any:
        variables = [self.w, self.b, self.v]
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(x @ self.w + self.b) @ self.v
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(0.1 * gradient)
        return {"loss": loss}


def outline(model: Model) -> object:
    return (
        [(s.key, [n for n, _ in s.inputs], [n for n, _ in s.outputs]) for s in model.signatures],
        [[o.name for o in s.operators] for s in model.subgraphs],
    )


def test_the_file_is_current() -> None:
    """If it is not: write ``data`` to tests/micro/training.tflite, and run `make test-micro`."""
    module = Small()
    data = tflrepair.convert(module, flex=False, batch=BATCH)
    assert outline(from_bytes(data)) == outline(load(FILE))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCH, 6)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    run = Interpreter(str(FILE)).get_signature_runner("train")
    for _ in range(5):
        loss = module.train(tf.constant(x), tf.constant(y))["loss"]
        np.testing.assert_allclose(run(x=x, y=y)["loss"], loss, rtol=1e-5)
