"""Lowerings on variables against TensorFlow's kernels: rows that are named twice, one, none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import Once

from rebuild.lower.kernels.single import DELEGATES, distance, file_of, interpreters, lowering, own
from rebuild.lower.kernels.variable_cases import OPERATORS, ROWS, START, UPDATES, Row

pytestmark = [pytest.mark.tf, pytest.mark.slow]


class Resource:
    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def read(self) -> Any:
        return self.variable.read_value()

    def assign(self, value: Any) -> None:
        self.variable.assign(value)


def signature(variable: Any, row: Row) -> Any:
    specs = [
        tf.TensorSpec([None, *v.shape[1:]] if row.opened else v.shape, v.dtype, name=name)
        for name, v in row.fed.items()
    ]

    def run(*values: Any) -> dict[str, Any]:
        variable.assign(row.start)
        result = row.run(lowering, Resource(variable), values)
        after = {"variable": variable.read_value()}
        return after if result is None else {"result": result, **after}

    return tf.function(run, input_signature=specs, autograph=False)


def data_of(folder: Path) -> bytes:
    holder = tf.Module()
    holder.variables_of = {row.key: tf.Variable(row.start) for row in OPERATORS}
    functions = {row.key: signature(holder.variables_of[row.key], row) for row in OPERATORS}
    return file_of(functions, folder, holder)


@pytest.fixture(scope="module")
def interpreter(once: Once) -> Callable[[str], Any]:
    return interpreters(once, "variables", data_of)


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("row", OPERATORS, ids=lambda row: row.key)
def test_like_the_kernel(interpreter: Any, row: Row, delegate: str) -> None:
    for part in (slice(None), slice(1), slice(0)) if row.opened and row.fed else (...,):
        fed = {name: value[part] for name, value in row.fed.items()}
        found = interpreter(delegate).get_signature_runner(row.key)(**fed)
        variable = tf.Variable(row.start)
        result = row.run(own, variable.handle, list(fed.values()))
        assert (result is None) == ("result" not in found)
        if result is not None:
            assert distance(found["result"], result) <= 1e-5
        assert distance(found["variable"], variable) <= 1e-5
        if row.start.dtype == np.int64:
            np.testing.assert_array_equal(found["variable"], variable)
            assert not np.array_equal(variable, row.start)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_a_row_updated_twice_takes_the_mean(interpreter: Any, delegate: str) -> None:
    """TensorFlow leaves open which wins; docs/training.md says what it is here."""
    fed = {"indices": ROWS, "updates": UPDATES}
    found = interpreter(delegate).get_signature_runner("ResourceScatterUpdate")(**fed)["variable"]
    np.testing.assert_allclose(found[3], (UPDATES[0] + UPDATES[2]) / 2, rtol=1e-5)
    np.testing.assert_array_equal(found[[2, 4]], START[[2, 4]])
