"""Builtins that are written otherwise, with and without XNNPACK."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import Once

from rebuild.lower.kernels.single import DELEGATES, distance, file_of, interpreters
from tflrepair.rebuild.lower.registry import lowerings
from tflrepair.rebuild.lower.trace.builtins import OVERRIDES

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


LARGE = (4, 96, 96, 3)


def many(x: Any) -> dict[str, Any]:
    """Over batch and pixels, as a batch norm and the gradient of a bias do."""
    axes, last = tf.constant([0, 1, 2]), x.shape[-1]
    ones, zeros = tf.ones([last]), tf.zeros([last])
    norm = lowerings()["FusedBatchNormV3"](x, ones, zeros, zeros, zeros)
    return {
        "sum": OVERRIDES["SUM"](x, axes),
        "mean": OVERRIDES["MEAN"](x, axes, keep_dims=True)[0, 0, 0],
        "batch_mean": norm[3],
        "batch_variance": norm[4],
    }


def data_of(folder: Path) -> bytes:
    functions = {"many": _plain(many, [tf.TensorSpec([None, *LARGE[1:]], tf.float32, name="x")])}
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
    return file_of(functions, folder)


def _plain(function: Any, specs: list[Any]) -> Any:
    """Without the arguments that have defaults, which a SavedModel would ask about."""
    return tf.function(lambda x: function(x), input_signature=specs, autograph=False)


@pytest.fixture(scope="module")
def interpreter(once: Once) -> Callable[[str], Any]:
    return interpreters(once, "builtins", data_of)


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
def test_many_numbers(interpreter: Any, delegate: str) -> None:
    """Added in a row, as LiteRT's kernels do, they are off by some 3e-6."""
    x = np.random.default_rng(2).uniform(0, 1, LARGE).astype(np.float32)
    found = interpreter(delegate).get_signature_runner("many")(x=x)
    exact = x.astype(np.float64)
    wanted = {"sum": exact.sum((0, 1, 2)), "mean": exact.mean((0, 1, 2))}
    wanted |= {"batch_mean": wanted["mean"], "batch_variance": exact.var((0, 1, 2))}
    for name, value in wanted.items():
        assert distance(found[name], value) <= 7e-7, name
