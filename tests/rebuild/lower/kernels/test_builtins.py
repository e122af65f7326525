"""Builtins that are written otherwise, and random operators, with and without XNNPACK."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from conftest import Once

from rebuild.lower.kernels.single import DELEGATES, distance
from tflrepair.rebuild.lower.registry import lowerings
from tflrepair.rebuild.lower.trace.builtins import OVERRIDES
from tflrepair.tensorflow.convert import convert_saved_model

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SIZES = (2, 2, 3, 1, 2, 3, 1, 2, 2, 2)
AXES = {"outer": [1, 2], "every_second": [1, 3, 5, 7, 9], "batch": [0, 4], "all": [*range(10)]}
REDUCTIONS: dict[str, Any] = {
    "SUM": np.sum,
    "MEAN": np.mean,
    "REDUCE_PROD": np.prod,
    "REDUCE_MAX": np.max,
    "REDUCE_MIN": np.min,
}
DRAWN = 4000


def draws(count: Any) -> dict[str, Any]:
    """One of each kind; the shape is known at run time only."""
    shape, low, high = tf.reshape(count, [1]), tf.constant(-2), tf.constant(5)
    made = lowerings()
    return {
        "uniform": made["RandomUniform"](shape, seed_of_site=1),
        "normal": made["RandomStandardNormal"](shape, seed_of_site=3),
        "truncated": made["TruncatedNormal"](shape, seed_of_site=5),
        "integers": made["RandomUniformInt"](shape, low, high, seed_of_site=7),
        "again": made["RandomUniform"](shape, seed_of_site=9),
    }


def data_of(folder: Path) -> bytes:
    module, functions = tf.Module(), {}
    for name in REDUCTIONS:
        for axes in AXES:
            for keep in (True, False):

                def reduce(
                    x: Any, name: str = name, axes: str = axes, keep: bool = keep
                ) -> dict[str, Any]:
                    return {"y": OVERRIDES[name](x, tf.constant(AXES[axes]), keep_dims=keep)}

                key = f"{name}_{axes}_{keep}"
                specs = [tf.TensorSpec([None, *SIZES[1:]], tf.float32, name="x")]
                functions[key] = _plain(reduce, specs)
    functions["draws"] = _plain(draws, [tf.TensorSpec([], tf.int32, name="count")])
    for key, function in functions.items():
        setattr(module, f"f_{key}", function)
    concrete = {key: function.get_concrete_function() for key, function in functions.items()}
    tf.saved_model.save(module, str(folder), signatures=concrete)
    target = tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS])
    return convert_saved_model(folder, list(functions), {"target_spec": target}, hint="")


def _plain(function: Any, specs: list[Any]) -> Any:
    """Without the arguments that have defaults, which a SavedModel would ask about."""
    return tf.function(lambda x: function(x), input_signature=specs, autograph=False)


@pytest.fixture(scope="module")
def interpreter(once: Once) -> Callable[[str], Any]:
    def fill(folder: Path) -> None:
        (folder / "model.tflite").write_bytes(data_of(folder / "saved_model"))

    path = once("builtins", fill) / "model.tflite"

    def get(delegate: str) -> Any:
        return Interpreter(str(path), experimental_op_resolver_type=DELEGATES[delegate])

    return cache(get)


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_ten_dimensions(interpreter: Any, name: str, axes: str, keep: bool, delegate: str) -> None:
    """XNNPACK of LiteRT 2.3 takes a reduction over more than six, and fails."""
    x = np.random.default_rng(1).uniform(0.5, 1.5, SIZES).astype(np.float32)
    for batch in (x, x[:1]):
        run = interpreter(delegate).get_signature_runner(f"{name}_{axes}_{keep}")
        wanted = REDUCTIONS[name](batch.astype(np.float64), tuple(AXES[axes]), keepdims=keep)
        assert distance(run(x=batch)["y"], wanted) <= 1e-5


@pytest.mark.parametrize("delegate", DELEGATES)
def test_draws_are_distributed_as_they_should_be(interpreter: Any, delegate: str) -> None:
    run = interpreter(delegate).get_signature_runner("draws")
    first, second = (run(count=np.int32(DRAWN)) for _ in range(2))
    far = 5 / np.sqrt(DRAWN)  # of a mean of DRAWN, in standard deviations
    moments = {"uniform": (0.5, 12**-0.5), "normal": (0, 1), "truncated": (0, 0.8796)}
    for name, (mean, deviation) in moments.items():
        assert abs(first[name].mean() - mean) < far * deviation
        assert abs(first[name].std() - deviation) < far * deviation
        assert not np.array_equal(first[name], second[name])
    assert not np.array_equal(first["uniform"], first["again"])
    assert first["uniform"].min() >= 0 and first["uniform"].max() < 1
    assert np.abs(first["truncated"]).max() <= 2
    values, counts = np.unique(first["integers"], return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3, 4]
    assert np.abs(counts - DRAWN / 7).max() < 5 * np.sqrt(DRAWN / 7)
    assert run(count=np.int32(1))["integers"].shape == (1,)
