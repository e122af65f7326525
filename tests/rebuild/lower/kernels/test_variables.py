"""Lowerings on variables against TensorFlow's kernels: rows that are named twice, one, none."""

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
from tflrepair.tensorflow.convert import convert_saved_model

pytestmark = [pytest.mark.tf, pytest.mark.slow]
RNG = np.random.default_rng(3)
START = RNG.normal(size=(5, 3)).astype(np.float32)
ROWS = np.array([3, 0, 3, 1], np.int32)
PLACES = np.array([[3, 1], [0, 0], [3, 1], [4, 2]], np.int32)
UPDATES = RNG.normal(size=(4, 3)).astype(np.float32)
# operator -> its inputs; elements are named twice where TensorFlow says what that means
SCATTERS: dict[str, dict[str, Any]] = {
    "ResourceScatterAdd": {"indices": ROWS, "updates": UPDATES},
    "ResourceScatterSub": {"indices": ROWS, "updates": UPDATES},
    "ResourceScatterUpdate": {"indices": ROWS[1:], "updates": UPDATES[1:]},
    "ResourceScatterNdAdd": {"indices": PLACES, "updates": UPDATES[:, 0]},
    "ResourceScatterNdSub": {"indices": PLACES, "updates": UPDATES[:, 0]},
}
READS: dict[str, dict[str, Any]] = {
    "ResourceGather": {"indices": ROWS},
    "ResourceGatherNd": {"indices": PLACES},
}
WHOLE = ("AssignAddVariableOp", "AssignSubVariableOp")


class Resource:
    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def read(self) -> Any:
        return self.variable.read_value()

    def assign(self, value: Any) -> None:
        self.variable.assign(value)


def handle_name(op: str) -> str:
    return "ref" if op.startswith("ResourceScatterNd") else "resource"


def inputs_of(op: str) -> dict[str, Any]:
    return {"value": START[::-1].copy()} if op in WHOLE else (SCATTERS | READS)[op]


def signature(holder: Any, op: str) -> Any:
    inputs = inputs_of(op)
    specs = [
        tf.TensorSpec(v.shape if op in WHOLE else [None, *v.shape[1:]], v.dtype, name=name)
        for name, v in inputs.items()
    ]

    def run(*values: Any) -> dict[str, Any]:
        holder.variable.assign(START)
        taken = {handle_name(op): Resource(holder.variable)}
        result = lowerings()[op](**taken, **dict(zip(inputs, values, strict=True)))
        return {"y": holder.variable.read_value() if result is None else result}

    return tf.function(run, input_signature=specs, autograph=False)


def data_of(folder: Path) -> bytes:
    holder = tf.Module()
    holder.variable = tf.Variable(START)
    functions = {}
    for op in (*SCATTERS, *READS, *WHOLE):
        function = signature(holder, op)
        setattr(holder, op, function)
        functions[op] = function.get_concrete_function()
    tf.saved_model.save(holder, str(folder), signatures=functions)
    target = tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS])
    return convert_saved_model(folder, list(functions), {"target_spec": target}, hint="")


@pytest.fixture(scope="module")
def interpreter(once: Once) -> Callable[[str], Any]:
    def fill(folder: Path) -> None:
        (folder / "model.tflite").write_bytes(data_of(folder / "saved_model"))

    path = once("variables", fill) / "model.tflite"

    def get(delegate: str) -> Any:
        return Interpreter(str(path), experimental_op_resolver_type=DELEGATES[delegate])

    return cache(get)


def wanted(op: str, inputs: dict[str, Any]) -> Any:
    variable = tf.Variable(START)
    raw = getattr(tf.raw_ops, op)
    more = {"dtype": tf.float32} if op in READS else {}
    result = raw(**{handle_name(op): variable.handle}, **inputs, **more)
    return result if op in READS else variable.read_value()


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("op", [*SCATTERS, *READS, *WHOLE])
def test_like_the_kernel(interpreter: Any, op: str, delegate: str) -> None:
    inputs = inputs_of(op)
    for rows in (slice(None),) if op in WHOLE else (slice(None), slice(1)):
        fed = {name: value[rows] for name, value in inputs.items()}
        found = interpreter(delegate).get_signature_runner(op)(**fed)["y"]
        assert distance(found, wanted(op, fed)) <= 1e-5


@pytest.mark.parametrize("delegate", DELEGATES)
def test_a_row_updated_twice_takes_the_mean(interpreter: Any, delegate: str) -> None:
    """TensorFlow leaves open which wins; docs/training.md says what it is here."""
    fed = {"indices": ROWS, "updates": UPDATES}
    found = interpreter(delegate).get_signature_runner("ResourceScatterUpdate")(**fed)["y"]
    np.testing.assert_allclose(found[3], (UPDATES[0] + UPDATES[2]) / 2, rtol=1e-5)
    np.testing.assert_array_equal(found[[2, 4]], START[[2, 4]])
