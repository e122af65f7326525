"""What tracing knows: shapes in part, broadcasts at run time, loops; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from makers.common import convert

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import UnsupportedError
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import Model, from_bytes
from tflrepair.rebuild.lower.convert import lower_flex
from tflrepair.rebuild.lower.trace import state
from tflrepair.rebuild.requests import NoFlex

pytestmark = pytest.mark.tf


def spec(*shape: int | None, dtype: Any = tf.float32, name: str = "x") -> Any:
    return tf.TensorSpec(list(shape), dtype, name=name)


def model_of(folder: Path, holder: Any = None, **functions: Any) -> Model:
    """A file with Flex operators. ``functions``: key -> (function, its input specs)."""
    module = holder or tf.Module()
    concrete = {}
    for key, (function, specs) in functions.items():
        traced = tf.function(function, input_signature=specs)
        setattr(module, f"f_{key}", traced)
        concrete[key] = traced.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures=concrete)
    return from_bytes(convert(folder, flex=True))


def flex_of(model: Model) -> set[str]:
    return {name for target in run_targets(AnalysisContext(model)) for name in target.flex}


def test_broadcasts_are_decided_at_run_time(tmp_path: Path) -> None:
    """Two open batches: only at run time does it show whether one of them is 1."""

    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = tf.reduce_sum(tf.square(x * y + x))
        a, b = tape.gradient(z, [x, y])
        return {"a": a, "b": b}

    model = model_of(tmp_path, f=(gradients, [spec(None, 4), spec(None, 4, name="y")]))
    assert "FlexBroadcastGradientArgs" in flex_of(model)
    result = lower_flex(model, {}, NoFlex())
    assert not flex_of(from_bytes(result.data))
    rng = np.random.default_rng(0)
    for rows, columns in ((3, 3), (3, 1), (1, 3), (1, 1)):
        x, y = (rng.normal(size=(n, 4)).astype(np.float32) for n in (rows, columns))
        wanted = gradients(tf.constant(x), tf.constant(y))
        found = Interpreter(model_content=result.data).get_signature_runner("f")(x=x, y=y)
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)


def test_fixed_batch_needs_no_question(tmp_path: Path) -> None:
    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(y)
            z = tf.reduce_sum(tf.square(x * y))
        return {"b": tape.gradient(z, y)}

    model = model_of(tmp_path, f=(gradients, [spec(None, 4), spec(None, 4, name="y")]))
    result = lower_flex(model, {}, NoFlex(batch=6))
    new = from_bytes(result.data)
    subgraph = new.subgraph(new.signatures[0].subgraph)
    assert [subgraph.tensor(t).shape for _, t in new.signatures[0].inputs] == [(6, 4), (6, 4)]
    assert "WHERE" not in {operator.name for operator in subgraph.operators}


def test_lists_of_shapes(tmp_path: Path) -> None:
    def run(n: Any) -> Any:
        shapes = [tf.concat([n, [k]], 0) for k in (3, 1, 4)]
        offsets = tf.raw_ops.ConcatOffset(concat_dim=1, shape=shapes)
        sizes = tf.raw_ops.ShapeN(input=[tf.zeros(shape) for shape in shapes])
        return {f"r{k}": value for k, value in enumerate([*offsets, *sizes])}

    model = model_of(tmp_path, f=(run, [spec(1, dtype=tf.int32, name="n")]))
    assert flex_of(model) >= {"FlexConcatOffset"}
    data = lower_flex(model, {}, NoFlex()).data
    n = np.array([2], np.int32)
    found = Interpreter(model_content=data).get_signature_runner("f")(n=n)
    for name, value in run(tf.constant(n)).items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("kind", [tf.float16, tf.bfloat16])
def test_half_precision_variables(kind: Any, tmp_path: Path) -> None:
    holder = tf.Module()
    holder.half = tf.Variable(tf.constant([1.0, 2.0, 300.0], kind), name="half")

    def step(x: Any) -> Any:
        holder.half.assign(holder.half * tf.cast(x, kind) + tf.cast(0.1, kind))
        return {"y": tf.cast(holder.half.read_value(), tf.float32)}

    model = model_of(tmp_path, holder, f=(step, [spec(3)]))
    assert "FlexVarHandleOp" in flex_of(model)
    data = lower_flex(model, {}, NoFlex()).data
    run = Interpreter(model_content=data).get_signature_runner("f")
    x = np.array([1.3, -0.7, 0.01], np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(run(x=x)["y"], step(tf.constant(x))["y"])


def test_random_places_differ_and_go_on(tmp_path: Path) -> None:
    def draw(n: Any) -> Any:
        shape = tf.stack([n, 1000])
        a, b = (tf.random.stateless_uniform(shape, seed=[1, k]) for k in (2, 3))
        c = tf.random.stateless_normal(shape, seed=[3, 4])
        d = tf.random.stateless_truncated_normal(shape, seed=[3, 4])
        return {"a": a, "b": b, "c": c, "d": d}

    model = model_of(tmp_path, f=(draw, [spec(dtype=tf.int32, name="n")]))
    data = lower_flex(model, {}, NoFlex()).data
    run = Interpreter(model_content=data).get_signature_runner("f")
    first, second = (run(n=np.int32(20)) for _ in range(2))
    assert not np.array_equal(first["a"], first["b"])
    assert not np.array_equal(first["a"], second["a"])
    a, c, d = (first[name].reshape(-1) for name in "acd")
    assert abs(a.mean() - 0.5) < 0.01 and abs(a.std() - 12**-0.5) < 0.01
    assert abs(c.mean()) < 0.03 and abs(c.std() - 1) < 0.03
    # the standard deviation of a normal cut off at two of its own
    assert np.abs(d).max() <= 2 and abs(d.std() - 0.8796) < 0.02


def test_embeddings_scatter(tmp_path: Path) -> None:
    holder = tf.Module()
    start = np.arange(12, dtype=np.float32).reshape(4, 3)
    holder.table = tf.Variable(start, name="table")

    def step(rows: Any, values: Any) -> Any:
        handle = holder.table.handle
        tf.raw_ops.ResourceScatterAdd(resource=handle, indices=rows, updates=values)
        tf.raw_ops.ResourceScatterSub(resource=handle, indices=rows[:1], updates=values[:1])
        found = tf.raw_ops.ResourceGather(resource=handle, indices=rows, dtype=tf.float32)
        return {"y": found, "all": holder.table.read_value()}

    specs = [spec(None, dtype=tf.int32, name="rows"), spec(None, 3, name="values")]
    model = model_of(tmp_path, holder, f=(step, specs))
    assert any("Scatter" in name for name in flex_of(model))
    result = lower_flex(model, {}, NoFlex())
    assert any("hold 1 variable (" in note for note in result.notes)
    run = Interpreter(model_content=result.data).get_signature_runner("f")
    rows = np.array([2, 0, 2], np.int32)
    values = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
    wanted = step(tf.constant(rows), tf.constant(values))
    found = run(rows=rows, values=values)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)


def linalg(x: Any) -> Any:
    return {"y": tf.linalg.cholesky(x)}


def test_refuses_with_the_list(tmp_path: Path) -> None:
    def two(x: Any) -> Any:
        return {"y": tf.linalg.cholesky(tf.linalg.expm(x))}

    model = model_of(tmp_path, f=(linalg, [spec(3, 3)]), g=(two, [spec(3, 3)]))
    with pytest.raises(UnsupportedError) as refusal:
        lower_flex(model, {}, NoFlex())
    text = refusal.value.message
    assert "Cholesky at subgraph 0, operator 0 (f); subgraph 1" in text
    assert "MatrixSolve" in text
    assert "--keep-flex" in str(refusal.value.hint)


def test_all_are_listed_at_once(tmp_path: Path) -> None:
    """What has no lowering, what has one that does not fit, and what comes after both."""

    def three(x: Any) -> Any:
        kernel = tf.ones((2, 2, 1, 1))
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            y = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, "VALID"))
        slope = tape.gradient(y, kernel)[:, :, 0, 0]
        turned = tf.linalg.cholesky(slope @ slope + tf.eye(2))
        return {"y": tf.abs(tf.signal.fft2d(tf.cast(turned, tf.complex64)))}

    model = model_of(tmp_path, f=(three, [spec(None, None, None, 1)]))
    assert flex_of(model) >= {"FlexCholesky", "FlexFFT2D", "FlexConv2DBackpropFilter"}
    with pytest.raises(UnsupportedError) as refusal:
        lower_flex(model, {}, NoFlex())
    rows = {row.split()[0]: row for row in refusal.value.message.splitlines()[1:]}
    assert set(rows) >= {"Cholesky", "FFT2D", "Conv2DBackpropFilter"}
    for name, row in rows.items():
        assert f"{name} at subgraph 0, operator " in row
    assert "open sizes besides the batch" in rows["Conv2DBackpropFilter"]


def loop(turns: int) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(lambda i, _: i < turns, lambda i, v: (i + 1, tf.tanh(v)), (0, x))[1]
        return {"y": tape.gradient(y, x)}

    return run


def test_a_loop_that_would_explode_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(tmp_path, f=(loop(7), [spec(2)]))
    result = lower_flex(model, {}, NoFlex())
    assert "f: 2 loops unrolled (7, 7 turns)" in result.notes
    x = np.array([0.3, -2.0], np.float32)
    found = Interpreter(model_content=result.data).get_signature_runner("f")(x=x)["y"]
    np.testing.assert_allclose(found, tf.function(loop(7))(tf.constant(x))["y"], rtol=1e-5)
    monkeypatch.setattr(state, "MOST_STEPS", 20)
    with pytest.raises(UnsupportedError, match="more than 20 operators") as refusal:
        lower_flex(model, {}, NoFlex())
    assert "operator" in str(refusal.value.where)


def test_losses_at_the_edge(tmp_path: Path) -> None:
    """Where we differ from TensorFlow on purpose: a mask of -inf, and a label that is no class."""
    features = np.array([[1.0, -np.inf, 2.0], [0.5, -np.inf, 0.1]], np.float32)

    def dense(x: Any, y: Any) -> Any:
        found = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=x, labels=y)
        return dict(zip(("loss", "gradient"), found, strict=True))

    def sparse(x: Any, y: Any) -> Any:
        found = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=x, labels=y)
        return dict(zip(("loss", "gradient"), found, strict=True))

    one_hot, index = spec(None, 3, name="y"), spec(None, dtype=tf.int32, name="y")
    model = model_of(
        tmp_path, f=(dense, [spec(None, 3), one_hot]), g=(sparse, [spec(None, 3), index])
    )
    interpreter = Interpreter(model_content=lower_flex(model, {}, NoFlex()).data)
    labels = np.eye(3, dtype=np.float32)[[0, 2]]
    found = interpreter.get_signature_runner("f")(x=features, y=labels)
    kept = tf.constant(features[:, [0, 2]])
    wanted = tf.nn.softmax_cross_entropy_with_logits(labels[:, [0, 2]], kept)
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-5)
    assert np.isfinite(found["gradient"]).all()
    found = interpreter.get_signature_runner("g")(x=features, y=np.array([0, 3], np.int32))
    assert np.isfinite(found["loss"][0]) and np.isnan(found["loss"][1])
    assert np.isnan(found["gradient"][1]).all()


def test_sizes_may_leave_a_function(tmp_path: Path) -> None:
    """A size that hangs on the batch, as an output of a signature, a branch, a loop's body."""

    def run(x: Any) -> Any:
        rows = tf.shape(x)[0]
        big = tf.cond(tf.reduce_sum(x) > 0, lambda: rows * 2, lambda: tf.shape(x)[0] + 1)
        _, last = tf.while_loop(
            lambda i, _: i < 3, lambda i, n: (i + 1, tf.shape(x)[0] * 3), (0, tf.reduce_max(big))
        )
        slope = tf.raw_ops.ReluGrad(gradients=x, features=x)
        return {"rows": rows, "shape": tf.shape(x), "big": big, "last": last, "y": slope}

    model = model_of(tmp_path, f=(run, [spec(None, 4)]))
    data = lower_flex(model, {}, NoFlex()).data
    for x in (np.ones((3, 4), np.float32), -np.ones((1, 4), np.float32)):
        found = Interpreter(model_content=data).get_signature_runner("f")(x=x)
        for name, value in run(tf.constant(x)).items():
            np.testing.assert_array_equal(found[name], value)
