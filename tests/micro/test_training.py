"""Training under TFLite Micro: subgraph 0 of a file of ``--no-flex`` with a fixed batch.

tests/rebuild/lower/test_micro.py has what training.tflite is made of.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

pytestmark = pytest.mark.runs
FILE = Path(__file__).with_name("training.tflite")


def test_losses_fall_as_under_litert() -> None:
    from tflite_micro.python.tflite_micro import runtime

    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 6)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    train = Interpreter(str(FILE)).get_signature_runner("train")
    micro = runtime.Interpreter.from_file(str(FILE))
    losses = []
    for _ in range(20):
        for place, value in enumerate((y, x)):  # the order of the subgraph
            micro.set_input(value, place)
        micro.invoke()
        losses.append(float(micro.get_output(0)))
        np.testing.assert_allclose(losses[-1], train(x=x, y=y)["loss"], rtol=1e-5)
    assert losses[-1] < losses[0] / 2
