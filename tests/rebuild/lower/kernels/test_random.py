"""Random operators against TensorFlow's own: the same distribution, range and type.

The numbers are others (docs/training.md), so many of each are drawn, and how they are distributed
is compared (Kolmogorov and Smirnov), with and without XNNPACK.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import Once

from rebuild.lower.kernels.random_cases import DRAWS, PLACEHOLDERS, Draw, Find
from rebuild.lower.kernels.single import DELEGATES, file_of, interpreters, lowering, own

pytestmark = [pytest.mark.tf, pytest.mark.slow]
DRAWN = 8000
FAR = 2.7 * (2 / DRAWN) ** 0.5  # two samples of one distribution are so far apart once in a million


def seeded() -> Find:
    """Lowerings as the tracer calls them: each place has a seed of its own."""
    places = iter(range(1, 10**6, 2))
    return lambda name: lambda **given: lowering(name)(**given, seed_of_site=next(places))


def run_time_range(count: Any) -> dict[str, Any]:
    """Whose ends are known at run time only, and so few numbers that it is a permutation's."""
    low = tf.zeros_like(count)
    draw = seeded()("RandomUniformInt")
    return {"y": draw(shape=tf.constant([DRAWN]), minval=low, maxval=count)}


def data_of(folder: Path) -> bytes:
    find = seeded()
    spec = [tf.TensorSpec([], tf.int32, name="count")]

    def signature(draw: Draw) -> Any:
        def run(count: Any) -> dict[str, Any]:
            """Twice; the shape is known at run time only."""
            shape = tf.reshape(count, [1])
            first, second = draw(find, shape), draw(find, shape)
            plain = [tf.cast(v, tf.float32) if v.dtype.size == 2 else v for v in (first, second)]
            return {"y": plain[0], "other": plain[1]}

        return tf.function(run, input_signature=spec, autograph=False)

    functions = {key: signature(draw) for key, draw in DRAWS.items()}
    functions["run_time_range"] = tf.function(run_time_range, input_signature=spec, autograph=False)
    return file_of(functions, folder)


@pytest.fixture(scope="module")
def interpreter(once: Once) -> Callable[[str], Any]:
    return interpreters(once, "random", data_of)


def apart(one: Any, other: Any) -> float:
    """The largest difference of the two distribution functions."""
    places = np.concatenate([one, other])
    shares = [np.searchsorted(np.sort(v), places, side="right") / len(v) for v in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("key", DRAWS)
def test_distributed_like_the_kernel(interpreter: Any, key: str, delegate: str) -> None:
    run = interpreter(delegate).get_signature_runner(key)
    wanted = DRAWS[key](own, tf.constant([DRAWN]))
    half = wanted.dtype.size == 2
    theirs = np.asarray(tf.cast(wanted, tf.float32) if half else wanted)
    first, second = run(count=np.int32(DRAWN)), run(count=np.int32(DRAWN))
    assert first["y"].dtype == theirs.dtype and first["y"].shape == theirs.shape
    for ours in (first["y"], second["y"], first["other"]):
        assert apart(ours, theirs) < FAR
        if "Int" in key and len(np.unique(theirs)) < 100:
            assert np.unique(ours).tolist() == np.unique(theirs).tolist()
        if "Uniform" in key and "Int" not in key:
            assert ours.min() >= 0 and ours.max() < 1
        if "Truncated" in key:
            assert np.abs(ours).max() <= 2
    for other in (second["y"], first["other"]):
        assert not np.array_equal(first["y"], other)
    assert run(count=np.int32(1))["y"].shape == (1,)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_a_range_known_at_run_time(interpreter: Any, delegate: str) -> None:
    run = interpreter(delegate).get_signature_runner("run_time_range")
    for count in (1, 7, 2**31 - 1):
        theirs = own("RandomUniformInt")(shape=[DRAWN], minval=0, maxval=count, seed=3, seed2=4)
        ours = run(count=np.int32(count))["y"]
        assert ours.min() >= 0 and ours.max() < count
        assert apart(ours, theirs.numpy()) < FAR


def test_the_seeds_are_in_the_file(once: Once, interpreter: Any) -> None:
    """A fresh interpreter begins where this one began, and goes on."""
    interpreter("XNNPACK")
    found = []
    for _ in range(2):
        fresh = interpreters(once, "random", data_of)("XNNPACK")
        run = fresh.get_signature_runner("RandomUniform_float32")
        found.append([run(count=np.int32(9))["y"] for _ in range(2)])
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0][0], found[0][1])


@pytest.mark.parametrize("op", PLACEHOLDERS)
def test_placeholders_are_like_the_kernels(op: str) -> None:
    """Nothing looks at keys and counters here, so sizes and the algorithm are TensorFlow's."""
    given = {} if op.endswith("GetAlg") else {"seed": tf.constant([3, 4])}
    ours, theirs = (tf.nest.flatten(find(op)(**given)) for find in (lowering, own))
    assert [tensor.shape for tensor in ours] == [tensor.shape for tensor in theirs]
    if op.endswith("Alg"):
        assert int(ours[-1]) == int(theirs[-1])
