"""tf.random.Generator: its variable counts on as TensorFlow's, whatever the batch.

The converter makes arithmetic in uint64 of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from rebuild.lower.test_tracing import flex_of, model_of, spec
from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.convert import lower_flex
from tflrepair.rebuild.requests import NoFlex

pytestmark = pytest.mark.tf
BEFORE_A_CARRY = -2000  # as an unsigned number, just below the edge


def test_the_state_goes_on_like_tensorflows(tmp_path: Path) -> None:
    holder = tf.Module()
    start = tf.constant([BEFORE_A_CARRY, 41, 7], tf.int64)
    holder.generator = tf.random.Generator.from_state(start, "philox")

    def step(x: Any) -> Any:
        noise = holder.generator.normal(tf.shape(x)) + holder.generator.uniform([3])
        dice = holder.generator.uniform(tf.shape(x), 1, 7, tf.int32)
        return {"y": x + noise, "dice": dice, "state": holder.generator.state.read_value()}

    model = model_of(tmp_path, holder, f=(step, [spec(None, 3)]))
    assert flex_of(model) >= {"FlexUnpack", "FlexAddV2", "FlexLess", "FlexSelectV2"}
    data = lower_flex(model, {}, NoFlex()).data
    interpreter = Interpreter(model_content=data)
    run = interpreter.get_signature_runner("f")
    seen = []
    for rows in (1, 8, 8):
        x = np.zeros((rows, 3), np.float32)
        found, wanted = run(x=x), step(tf.constant(x))
        np.testing.assert_array_equal(found["state"], wanted["state"])
        assert {*np.unique(found["dice"])} <= {1, 2, 3, 4, 5, 6}
        seen.append(found["y"][0, 0])
    assert seen[1] != seen[2]
    (state,) = interpreter.get_signature_runner("get_weights")().values()
    np.testing.assert_array_equal(state, holder.generator.state)
    assert state[1] == 42


def test_numbers_without_a_sign(tmp_path: Path) -> None:
    ordered = [tf.less, tf.less_equal, tf.greater, tf.greater_equal, tf.equal, tf.not_equal]
    most = tf.constant(2**64 - 3, tf.uint64)

    def arithmetic(x: Any, y: Any) -> Any:
        a, b = tf.cast(x, tf.uint64), tf.cast(y, tf.uint64)
        found = {f"o{n}": compare(a, b) for n, compare in enumerate(ordered)}
        found |= {f"c{n}": compare(a, most) for n, compare in enumerate(ordered)}
        whole = {"sum": a + b, "difference": a - b, "product": a * b * 3, "which": a + most}
        whole["chosen"] = tf.where(a < b, a, b + most)
        return found | {name: tf.cast(value, tf.int64) for name, value in whole.items()}

    model = model_of(
        tmp_path, f=(arithmetic, [spec(None, dtype=tf.int64, name=name) for name in "xy"])
    )
    assert flex_of(model) >= {"FlexCast", "FlexMul", "FlexAddV2"}
    run = Interpreter(model_content=lower_flex(model, {}, NoFlex()).data).get_signature_runner("f")
    edges = [-(2**63), 2**63 - 1, -3, -2, -1, 0, 1, 2**32]
    x, y = (np.array(pairs, np.int64).reshape(-1) for pairs in np.meshgrid(edges, edges))
    wanted = arithmetic(tf.constant(x), tf.constant(y))
    for name, value in run(x=x, y=y).items():
        np.testing.assert_array_equal(value, wanted[name], err_msg=name)


def test_what_has_no_form_with_a_sign_is_refused(tmp_path: Path) -> None:
    def divide(x: Any) -> Any:
        a = tf.cast(x, tf.uint64)
        return {"y": tf.cast(a // 3, tf.int64), "z": tf.cast(a, tf.float32)}

    model = model_of(tmp_path, f=(divide, [spec(None, dtype=tf.int64)]))
    with pytest.raises(UnsupportedError, match=r"FloorDiv at .*: its type is uint64"):
        lower_flex(model, {}, NoFlex())
