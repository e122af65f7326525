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


def data_of(folder: Path) -> bytes:
    functions = {}
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
