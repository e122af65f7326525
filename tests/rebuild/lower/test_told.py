"""What the command line says when TensorFlow's converter fails: one sentence, or all with -v."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import warm

pytestmark = [pytest.mark.tf, pytest.mark.runs]


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a cosine in float64, inside a loop, where only the converter finds it."""

    def looped(x: Any) -> Any:
        turns = tf.shape(x)[0]
        _, y = tf.while_loop(lambda i, _: i < turns, lambda i, v: (i + 1, tf.math.cos(v)), (0, x))
        return {"y": y}

    folder = tmp_path_factory.mktemp("told") / "saved_model"
    module = tf.Module()
    module.f = tf.function(looped, input_signature=[tf.TensorSpec([None, 4], tf.float64)])
    tf.saved_model.save(module, str(folder), signatures={"f": module.f.get_concrete_function()})
    return folder


@pytest.mark.parametrize("loud", [False, True])
def test_the_converters_own_text(saved_model: Path, tmp_path: Path, loud: bool) -> None:
    given = ["convert", str(saved_model), "--no-flex", "-o", str(tmp_path / "out.tflite")]
    result = warm.command_line(*given, *(["-v"] if loud else []), kind="tensorflow")
    assert result.returncode == 2
    (row,) = [line for line in result.stderr.splitlines() if line.startswith("  Cos at subgraph ")]
    assert row.endswith("no builtin operator takes its types")
    assert ("'tf.Cos' op is neither a custom op nor a flex op" in result.stderr) == loud
    assert ("loc(" in result.stderr) == loud
    assert "Traceback" not in result.stderr
